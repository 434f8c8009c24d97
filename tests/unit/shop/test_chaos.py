"""What a run of `shop chaos` is made of, without a shop."""

import pytest
from click.testing import CliRunner

from shop.chaos import plan
from shop.chaos.chart import svg
from shop.chaos.journal import Journal
from shop.chaos.run import Aim, Outcome
from shop.cli import shop
from shop.packages import SERVICE_PACKAGES


def test_a_seed_decides_what_goes_wrong():
    """The same again for the same seed, something else for another one."""
    plans = [
        [next(faults) for _ in range(50)]
        for faults in (plan.faults(seed, 100, 10) for seed in (1, 1, 2))
    ]
    assert plans[0] == plans[1] != plans[2]


def test_the_mix_of_faults_is_as_told():
    """About as many kills as were asked for, most faults at services, all of them at some time."""
    faults = plan.faults(7, 10_000, 100)
    orders, first = 0, []
    while orders < 10_000:
        first.append(next(faults))
        orders += first[-1].gap
    kills = [fault for fault in first if fault.kind == plan.KILL]
    assert 70 < len(kills) < 140
    assert {fault.victim for fault in kills} == {*plan.SERVERS, *SERVICE_PACKAGES}
    assert sum(fault.victim in plan.SERVERS for fault in kills) < len(kills) / 4


def test_nobody_is_cut_off_from_what_it_does_not_have():
    """The gateway has no database."""
    faults = plan.faults(7, 100, 100)
    cuts = [fault for fault in (next(faults) for _ in range(500)) if fault.kind == plan.CUT]
    assert ("gateway", plan.RABBITMQ) in {(fault.victim, fault.peer) for fault in cuts}
    assert ("gateway", plan.POSTGRESQL) not in {(fault.victim, fault.peer) for fault in cuts}


def test_a_key_that_answers_twice_differently_is_noticed():
    """The journal keeps the latest answer, and notes that it is about something else."""
    journal = Journal()
    journal.note_order("k", {"id": "a", "status": "pending"})
    journal.note_order("k", {"id": "a", "status": "processing"})
    assert journal.doubled == []
    assert journal.orders["k"]["status"] == "processing"
    journal.note_order("k", {"id": "b", "status": "pending"})
    assert len(journal.doubled) == 1


def test_the_picture_shows_every_fault():
    """At its moment, with what it was."""
    outcome = Outcome(Aim(1, orders=0, kills=1), Journal())
    outcome.journal.answered.update({0: 5, 1: 3, 2: 4})
    outcome.journal.failed.update({1: 9})
    outcome.faults = [(0.5, plan.Fault(1, plan.KILL, "orders")),
                      (1.0, plan.Fault(1, plan.CUT, "users", 1.5, plan.RABBITMQ))]  # fmt: skip
    picture = svg(outcome)
    assert "<title>0 s: kill orders</title>" in picture
    assert "<title>1 s: cut users from rabbitmq</title>" in picture
    assert "1 of them kill -9, 0 violations" in picture


@pytest.mark.parametrize(
    "words",
    ["--orders 0", "--kills -1", "--buyers none", "--seconds 0", "--seed x", "--there", "now"],
)
def test_a_wrong_option_is_told(words):
    """One line, and nothing is started."""
    result = CliRunner().invoke(shop, ["chaos", *words.split()])
    assert result.exit_code == 2
    assert "Error: " in result.output
