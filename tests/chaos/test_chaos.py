"""A short run of `shop chaos`, servers included: what `make chaos` does at length."""

import json

import pytest
from click.testing import CliRunner

from shop.chaos import plan
from shop.cli import shop


@pytest.mark.timeout(400)
def test_nothing_is_lost_or_doubled(tmp_path, monkeypatch):
    """Amid kills, stops and cuts of processes, RabbitMQ and PostgreSQL the books agree, and every
    answer that was given holds."""
    for name in ("AMQP_URI", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_VAR", str(tmp_path))
    result = CliRunner().invoke(shop, ["chaos", "--orders=60", "--kills=6", "--seed=291"])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "chaos" / "chaos-291.json").read_text())
    done = [fault for _, fault in report["faults"]]
    assert sum(fault.startswith("kill") for fault in done) >= 6
    assert all(one["checked"] and not one["violations"] for one in report["invariants"].values())
    assert report["counts"]["orders"] >= 60
    assert report["provider"]["webhooks taken"]
    picture = (tmp_path / "chaos" / "chaos-291.svg").read_text()
    assert picture.count("<title>") == len(done)


def test_the_short_run_meets_everything():
    """Its seed was chosen for that: kills of both servers, a stop, a cut."""
    faults = plan.faults(291, 60, 6)
    first = [next(faults) for _ in range(9)]
    assert {fault.kind for fault in first} == {plan.KILL, plan.PAUSE, plan.CUT}
    assert {fault.victim for fault in first if fault.kind == plan.KILL} >= set(plan.SERVERS)
