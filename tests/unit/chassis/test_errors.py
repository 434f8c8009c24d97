"""Faults keep their meaning on their way through the broker."""

import orjson
import pytest

from chassis import errors
from chassis.rpc import wire


class Full(errors.Conflict):
    code = "full"


class Elsewhere(errors.Conflict):
    code = "full"


def over_the_wire(fault, expected=()):
    return errors.from_wire(orjson.loads(orjson.dumps(errors.to_wire(fault))), expected)


def test_the_callers_own_class_wins():
    """The code decides, not the module that the callee's class lives in."""
    fault = over_the_wire(Full("No room.", left=2), [Elsewhere])
    assert type(fault) is Elsewhere
    assert (fault.code, fault.detail, fault.data) == ("full", "No room.", {"left": 2})


@pytest.mark.parametrize("status", sorted(errors.GENERIC))
def test_an_unknown_code_keeps_its_status(status):
    """Who does not know a code still knows what kind of error it is."""
    fault = over_the_wire(errors.GENERIC[status]("Why.", code="of_theirs"))
    assert (type(fault), fault.status, fault.code) == (
        errors.GENERIC[status],
        status,
        "of_theirs",
    )


@pytest.mark.parametrize("error", [{"code": "x"}, {"code": None, "status": "y", "data": 5}])
def test_half_an_error_is_an_error(error):
    """What a service answers is not trusted to be well-formed."""
    assert errors.from_wire(error).status == 500


def test_an_unforeseen_exception_keeps_its_text_to_itself():
    """Only the kind of an unforeseen exception leaves its service."""
    told = wire.error_of(RuntimeError("card 4242"), "payments", "call-1")
    assert "4242" not in repr(told)
    assert told["code"] == "internal"
    assert "call-1" in told["detail"]
