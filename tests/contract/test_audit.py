"""The words of the audit trail: `users` writes them, others tell them, admins ask by them."""

from contracts.users.enums import Action, Target


def test_what_staff_do_can_be_asked_for(traffic):
    """By what was done, and by the kind of thing."""
    told = [event.payload for event in traffic.told if event.type == "staff_acted"]
    assert {acted["action"] for acted in told} <= set(Action)
    assert {acted["target"] for acted in told} == set(Target)
