"""What a run leaves behind, of figures that were made up."""

import json
from xml.etree import ElementTree

import pytest

from bench import picture
from bench.measures import Record, Series, Table, ratio
from bench.report import Report


@pytest.fixture
def record():
    """One row: three times as fast as one, half as fast as another."""
    found = {
        "us": Series([300.0, 310.0], [{"p50": 900, "p99": 4000}, {"p50": 1100, "p99": 6000}]),
        "slow": Series([100.0, 100.0]),
        "fast": Series([600.0, 620.0]),
    }
    goals = [
        ratio(found["us"], found["slow"], "of slow", 3.0),
        ratio(found["us"], found["fast"], "of <fast>", 0.8),
    ]
    return Record("work", "some work", contenders=found, goals=goals, notes=["as it was"])


@pytest.fixture
def report(record):
    """With that row alone."""
    machine = {"processors": 2, "date": "2031-03-01"}
    return Report(machine, 12.3, [record], {"us": "this shop"}, ["somebody is left out"])


def test_the_page_begins_with_the_goals(report):
    """Ratios with their spread, what was wanted, whether it was met; then the contenders."""
    page = report.to_markdown()
    goals, works = page.index("## Goals"), page.index("## Some work")
    assert goals < works
    assert "| some work | 3.05× (3 – 3.1) of slow | ≥ 3× | met |" in page
    assert "| some work | 0.5× (0.5 – 0.5) of <fast> | ≥ 0.8× | **not met** |" in page
    assert "| this shop | 305 | 300 – 310 | 1 | 5 |" in page
    assert "| slow | 100 | 100 – 100 |  |  |" in page
    assert "- as it was" in page
    assert "- somebody is left out" in page
    assert "processors: 2" in page


def test_the_page_says_where_the_time_goes(record, report):
    """By process, the dearest first; medians over the rounds, and nothing that cost nothing."""
    record.contenders["us"].costs = [
        {"gateway": 0.001, "orders": 0.002, "mail": 0.0},
        {"gateway": 0.003, "orders": 0.009, "mail": 0.0},
        {"gateway": 0.002, "orders": 0.004, "mail": 0.0},
    ]
    assert "| this shop | 6.00 | orders 4.00, gateway 2.00 |" in report.to_markdown()


def test_all_figures_are_kept(report, tmp_path):
    """For whoever wants to compute something else."""
    report.save(tmp_path / "new" / "results.json", tmp_path / "report.md")
    kept = json.loads((tmp_path / "new" / "results.json").read_text())
    (work,) = kept["works"]
    assert work["contenders"]["us"]["figures"] == [300.0, 310.0]
    assert work["contenders"]["us"]["latencies"][1]["p99"] == 6000
    assert [goal["met"] for goal in work["goals"]] == [True, False]
    assert (tmp_path / "report.md").read_text() == report.to_markdown()


def test_the_picture_has_a_bar_for_each_goal(record):
    """As long as it got, in a document that can be read."""
    document = ElementTree.fromstring(picture.goals([record], "a machine"))
    bars = [each for each in document if each.tag.endswith("rect") and each.get("x")]
    met, missed = bars
    assert float(met.get("width")) > float(missed.get("width"))
    assert met.get("fill") != missed.get("fill")
    assert any("of <fast>" in (each.text or "") for each in document)


def test_the_profile_has_a_bar_of_parts_for_each_process(record, report):
    """As long as their milliseconds; the same purpose has one colour everywhere."""
    record.parts = {"orders": {"database": 2.0, "calls": 1.0}, "gateway": {"calls": 0.5}}
    document = ElementTree.fromstring(picture.profile(record, "a machine"))
    bars = [each for each in document if each.tag.endswith("rect") and len(each)]
    database, calls, at_the_gateway = bars
    assert float(database.get("width")) == pytest.approx(2 * float(calls.get("width")), rel=0.01)
    assert calls.get("fill") == at_the_gateway.get("fill") != database.get("fill")
    assert "](profile.svg)" in report.to_markdown()


def test_a_table_is_shown_as_it_is():
    """Counts have neither a median nor a spread."""
    table = Table(["contender", "lost"], [["this shop", "0"], ["another", "7"]])
    report = Report({}, 1.0, [Record("kills", "kills", table=table)], {}, [])
    assert "| contender | lost |\n| --- | ---: |\n| this shop | 0 |" in report.to_markdown()
    assert json.loads(report.to_json())["works"][0]["table"]["rows"][1] == ["another", "7"]
