"""Alerts fire when they should and only then; dashboards ask what Prometheus understands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import telemetry

RUNBOOK = (telemetry.ROOT / "docs" / "runbook.md").read_text().splitlines()


@pytest.fixture(scope="module")
def promtool():
    """`promtool("check", ...)`: runs it, and fails with what it says when it fails."""
    path = shutil.which(Path(sys.executable).with_name("promtool")) or shutil.which("promtool")
    if path is None:
        pytest.skip("no promtool: .ci/promtool fetches it where there is apt-get")

    def run(*arguments):
        done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_each_alert_fires_in_time_and_not_before(promtool):
    """What its test in alerts.test.yml says, worked out by Prometheus itself."""
    promtool("test", "rules", telemetry.PROMETHEUS / "alerts.test.yml")


def test_each_alert_has_a_test():
    """One moment at which it is silent, and a later one at which it is not."""
    tests = yaml.safe_load((telemetry.PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    names = [alert["alert"] for alert in telemetry.alerts()]
    assert [test["name"] for test in tests] == names
    for test in tests:
        silent, fires = test["promql_expr_test"]
        wanted = f'count(ALERTS{{alertname="{test["name"]}",alertstate="firing"}})'
        assert silent["expr"] == fires["expr"] == wanted
        assert silent["exp_samples"] == []
        assert [sample["value"] > 0 for sample in fires["exp_samples"]] == [True]


def test_each_alert_says_what_to_do():
    """Its section of the runbook has its name, and nothing else is promised there."""
    for alert in telemetry.alerts():
        name = alert["alert"]
        assert f"### {name}" in RUNBOOK, name
        assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in ("critical", "warning")


def test_dashboards_are_whole():
    """Each has its own id, and each panel a title and a place of its own."""
    dashboards = telemetry.dashboards()
    assert len({each["uid"] for each in dashboards.values()}) == len(dashboards) == 3
    for name, dashboard in dashboards.items():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids), name
        cells = [cell for panel in dashboard["panels"] for cell in _cells(panel["gridPos"])]
        assert len(set(cells)) == len(cells), name
        for panel in telemetry.panels(dashboard):
            assert panel["title"], name
            assert panel["targets"], name
            assert panel["datasource"]["uid"] == "${datasource}", name


def test_dashboards_ask_what_prometheus_understands(promtool, tmp_path):
    """Every expression is one."""
    shown = [
        expression
        for dashboard in telemetry.dashboards().values()
        for expression in telemetry.shown(dashboard)
    ]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(shown)]
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]})
    )
    promtool("check", "rules", tmp_path / "rules.yml")


def _cells(place):
    return [
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
