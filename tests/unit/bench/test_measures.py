"""What is made of figures."""

import pytest

from bench.measures import Goal, Series, ratio, ratios, rotated


def test_a_series_has_a_median_and_a_spread():
    """Of its rounds; latencies have the median of theirs."""
    series = Series([100, 300, 200], [{"p99": 5.0}, {"p99": 1.0}, {"p99": 3.0}])
    assert series.median == 200
    assert series.spread == (100, 300)
    assert series.latency("p99") == 3.0
    assert series.latency("p50") is None


def test_a_ratio_is_taken_round_by_round():
    """A round in which the machine was busy for both says as much as the others."""
    found = ratio(Series([300, 30, 330]), Series([100, 10, 100]), "of theirs", 3.0, guard=2.0)
    assert (found.value, found.low, found.high) == (3.0, 3.0, pytest.approx(3.3))
    assert found.is_met


def test_only_those_that_took_part_are_compared():
    """One of them may be missing on a machine."""
    found = {"us": Series([30.0]), "slow": Series([10.0])}
    wanted = ("slow", "of slow", 2.0, None), ("missing", "of missing", 1.0, None)
    assert [(goal.text, goal.value) for goal in ratios(found, "us", *wanted)] == [("of slow", 3.0)]


@pytest.mark.parametrize(
    ("value", "is_most", "met", "guarded"),
    [
        (3.0, False, True, True),
        (2.5, False, False, True),
        (1.9, False, False, False),
        (2.5, True, True, True),
        (3.5, True, False, False),
    ],
)
def test_a_goal_is_met_or_not(value, is_most, met, guarded):
    """At least or at most what is wanted; the guard is where a short run fails."""
    goal = Goal("of theirs", value, 3.0, guard=3.2 if is_most else 2.0, is_most=is_most)
    assert (goal.is_met, goal.is_guarded) == (met, guarded)


def test_a_share_is_one_for_exactly_what_is_wanted():
    """More is better, also where less is wanted."""
    assert Goal("", 6.0, 3.0).share == 2.0
    assert Goal("", 6.0, 3.0, is_most=True).share == 0.5
    assert Goal("", 0.0, 3.0, is_most=True).share == float("inf")


def test_nobody_is_always_first():
    """Each round begins with another contender."""
    assert [rotated(["a", "b", "c"], number) for number in range(4)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"],
    ]  # fmt: skip
