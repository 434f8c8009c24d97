"""Who answers something else than the others is not timed."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.judge import Judge, WrongAnswer
from bench.traffic import Request


@pytest.fixture(scope="module")
def contender():
    """Answers JSON with the text that it was asked for."""
    command = [sys.executable, str(Path(__file__).parent / "tiny.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        yield SimpleNamespace(name="tiny", port=port, contender=SimpleNamespace(is_limit=False))
        server.kill()


REQUESTS = [Request("/json/1"), Request("/json/2")]


def test_the_same_answers_are_right(contender):
    """As many as were asked for are counted."""
    judge = Judge(contender, REQUESTS, 200, None)
    assert judge.examine(contender) == 2
    judge.look_at(contender, [(0, "1"), (1, "2")])


@pytest.mark.parametrize("body", ["2", json.dumps({"detail": "busy"})])
def test_another_answer_is_wrong(contender, body):
    """A sample tells."""
    judge = Judge(contender, REQUESTS, 200, None)
    with pytest.raises(WrongAnswer, match="/json/1"):
        judge.look_at(contender, [(0, body)])


def test_another_status_is_wrong(contender):
    """Whatever the body says."""
    judge = Judge(contender, REQUESTS, 201, None)
    with pytest.raises(WrongAnswer, match="answers 200"):
        judge.examine(contender)


def test_where_each_answer_is_new_a_rule_decides(contender):
    """There is nothing to compare it with."""
    rule = lambda request, body: request.path.endswith(str(body))  # noqa: E731
    judge = Judge(contender, REQUESTS, 200, rule)
    assert judge.examine(contender) == 2
    with pytest.raises(WrongAnswer):
        judge.look_at(contender, [(1, "1")])


def test_a_limit_may_say_anything(contender):
    """It does no work."""
    limit = SimpleNamespace(name="limit", contender=SimpleNamespace(is_limit=True))
    judge = Judge(contender, REQUESTS, 200, None)
    assert judge.examine(limit) == 0
    judge.look_at(limit, [(0, "x")])
