"""The words of the audit trail: `users` writes them, others tell them, admins ask by them."""

from gateway.schemas.audit import ACTIONS, TARGETS
from users.audit import Action


def test_the_gateway_knows_every_action():
    """What is written can be asked for, and nothing else."""
    assert sorted(ACTIONS) == sorted(Action)
    assert len(set(ACTIONS)) == len(ACTIONS)


def test_what_staff_do_can_be_asked_for(traffic):
    """By what was done, and by the kind of thing."""
    told = [event.payload for event in traffic.told if event.type == "staff_acted"]
    assert {acted["action"] for acted in told} <= set(ACTIONS)
    assert {acted["target"] for acted in told} == set(TARGETS)
