"""The alerts and dashboards that come with the shop, for tests."""

import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))

_METRIC = re.compile(r"\b(?:shop|process|rabbitmq)_[a-z_]+\b")


def alerts():
    """All rules of alerts.yml."""
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def dashboards():
    """By file name."""
    return {path.name: json.loads(path.read_text()) for path in DASHBOARDS}


def panels(dashboard):
    """Those of a dashboard that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def shown(dashboard):
    """The expressions of a dashboard, with values for Grafana's variables."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$service", ".*")


def expressions():
    """What alerts and dashboards ask Prometheus for."""
    yield from (alert["expr"] for alert in alerts())
    for dashboard in dashboards().values():
        yield from shown(dashboard)


def metrics_asked_for():
    """The names in them."""
    return {name for expression in expressions() for name in _METRIC.findall(expression)}
