"""Steps of commands, as tests watch them."""

import pytest

from chassis.steps import Step


@pytest.fixture
def step(monkeypatch):
    monkeypatch.setattr(Step, "declared", {})
    return Step("tests.done")


def test_a_step_that_nobody_watches_is_nothing(step, monkeypatch):
    """As in production."""
    monkeypatch.setattr(Step, "watch", None)
    assert step.reached() is None


def test_who_watches_is_told_of_each_step(step, monkeypatch):
    """And of which entrypoint, where all have it."""
    told = []
    monkeypatch.setattr(Step, "watch", lambda *what: told.append(what))
    step.reached()
    step.reached("entrypoint")
    assert told == [(step, None), (step, "entrypoint")]


def test_a_name_is_one_step(step):
    """Two of one name could not be told apart."""
    assert Step.declared == {"tests.done": step}
    with pytest.raises(ValueError, match=r"tests\.done"):
        Step("tests.done")
