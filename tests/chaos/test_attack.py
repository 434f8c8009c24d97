"""`shop attack`, in short, against a shop as `make run` starts it; and that it can fail."""

import subprocess
import sys

import pytest

from shop.attack.check import Outcome
from shop.attack.command import BATTERIES, CHECKS, SETTINGS
from shop.chaos.own_shop import private_shop


def attack(*options):
    """The exit status and what was printed."""
    program = "from shop.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, "attack", *options],
        capture_output=True,
        text=True,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.timeout(400)
def test_nothing_that_a_stranger_tries_works(tmp_path):
    """All batteries, with smaller floods."""
    with private_shop(tmp_path / "shop", print, **SETTINGS):
        status, printed = attack("--short")
    assert status == 0, printed
    assert " 0 findings" in printed


@pytest.mark.timeout(300)
def test_a_shop_whose_bounds_are_off_is_found_out(tmp_path):
    """The shop of a chaos run lets one buyer hold everything unpaid, and the command says so."""
    with private_shop(tmp_path / "shop", print):
        status, printed = attack("--only", "races")
    assert status == 1, printed
    assert "races: orders without payment:" in printed


def test_every_attack_has_a_rule_and_counts_its_tries():
    """A battery that tries nothing would find nothing."""
    assert all(check.rule and check.battery in BATTERIES for check in CHECKS)
    outcome = Outcome()
    outcome.expect(True, "not this")
    outcome.expect(False, "but this")
    assert (outcome.tried, outcome.findings) == (2, ["but this"])


def test_an_unknown_battery_is_named():
    """And those that there are."""
    status, printed = attack("--only", "wishes")
    assert status == 2
    assert "wishes" in printed
    assert all(battery in printed for battery in BATTERIES)
