"""What work that was put off belongs to."""

import pytest
import structlog

from chassis.trace import WorkTrace

ASKED = {"request_id": "r1", "traceparent": "00-aa-bb-01"}


def test_work_that_was_put_off_is_that_of_its_request():
    """Calls, events and log lines have its cause for so long, and nothing else of it."""
    data = {"request_id": "timer", "other": 1}
    with WorkTrace(data).continuing(ASKED):
        assert data == ASKED | {"other": 1}
        said = structlog.contextvars.get_contextvars()
        assert (said["request_id"], said["trace_id"]) == ("r1", "aa")
        assert WorkTrace(data).saved() == ASKED
    assert data == {"request_id": "timer", "other": 1}


def test_the_next_piece_of_work_does_not_inherit_a_cause():
    """Neither after one that failed nor when it has none itself."""
    data = {}
    trail = WorkTrace(data)
    with pytest.raises(RuntimeError), trail.continuing(ASKED):
        raise RuntimeError
    with trail.continuing({}):
        assert data == {}
    assert trail.saved() == {}
