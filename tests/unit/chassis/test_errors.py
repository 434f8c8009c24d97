"""Faults keep their meaning on their way through the broker."""

import ast
from pathlib import Path

import orjson
import pytest

from chassis import errors
from chassis.rpc import wire
from shop.packages import SERVICE_PACKAGES


class Full(errors.Conflict):
    code = "full"


class Elsewhere(errors.Conflict):
    code = "full"


def over_the_wire(fault, expected=()):
    return errors.from_wire(
        orjson.loads(orjson.dumps(errors.to_wire(fault), option=orjson.OPT_NON_STR_KEYS)), expected
    )


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


MEMBERS = ("type", "title", "status", "instance", "request_id", "trace_id", "errors")


@pytest.mark.parametrize("member", MEMBERS)
def test_an_extra_is_not_named_like_a_standard_member(member):
    """It would be lost, or stand in the place of what RFC 9457 means by the name."""
    with pytest.raises(TypeError, match=member):
        errors.Conflict("Why.", **{member: "pending"})


@pytest.mark.parametrize("member", MEMBERS)
def test_of_another_version_such_an_extra_is_left_out(member):
    """A service that is not restarted yet may still send one; the rest of the fault counts."""
    sent = errors.to_wire(errors.Conflict("Why.", left=2))
    sent["data"][member] = "pending"
    fault = errors.from_wire(sent)
    assert (fault.status, fault.detail, fault.data) == (409, "Why.", {"left": 2})


def test_no_error_in_the_shop_has_such_an_extra():
    """Every place that makes a fault, also those that no test comes by."""
    root = Path(errors.__file__).parents[1]
    found = [
        f"{path.relative_to(root)}:{call.lineno} {word.arg}"
        for package in ("chassis", *SERVICE_PACKAGES)
        for path in (root / package).rglob("*.py")
        for raised in ast.walk(ast.parse(path.read_text()))
        if isinstance(raised, ast.Raise) and isinstance(call := raised.exc, ast.Call)
        for word in call.keywords
        if word.arg in MEMBERS and word.arg != "errors"
    ]
    assert found == []


def test_a_stock_caller_reads_all_of_it_in_the_message():
    """It has only `value` and `exc_args`; ours get the detail and the data as they were."""
    fault = errors.Invalid("Not like this.", errors={"items": {0: {"price": ["Too low.", "No."]}}})
    sent = errors.to_wire(fault)
    told = "Not like this.; items.0.price: Too low. No."
    assert (sent["value"], sent["exc_args"]) == (f"invalid: {told}", [told])
    again = over_the_wire(fault)
    assert (again.detail, again.errors) == (
        "Not like this.",
        {"items": {"0": {"price": ["Too low.", "No."]}}},
    )


def test_what_a_stock_caller_is_told_has_a_bound():
    """However much is wrong."""
    fault = errors.Invalid(errors={f"field {n}": ["Wrong."] for n in range(10_000)})
    assert len(errors.to_wire(fault)["value"]) < 2100
