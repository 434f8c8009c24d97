"""What the fields take and what they refuse, at the border of every service."""

import datetime
import decimal
import time
import uuid

import pytest
from marshmallow import ValidationError, missing

from chassis import fields
from chassis.identity import Actor

REFUSED = [
    (fields.Text(max=5), ["", "   ", "sixsix", "a\0b", "a\x1b[2Jb", "\ud800", 5, None, ["a"], {}]),
    (fields.Text(max=100), ["a" + "\u0301" * 31, "a" + "\u0301\u0316" * 40]),
    (
        fields.Money(),
        [
            *("-0.01", "0.00001", "1000000000000", "NaN", "1e400", "ten", ""),
            "1" * 40,
            0.1,
            True,
            None,
            [],
        ],
    ),
    (fields.MoneyDue(), ["0", "0.0000", 0]),
    (
        fields.Id(),
        [0, -1, 2**63, "1", "x", 1.0, True, None, "9" * 30, [], {}],
    ),
    (fields.Quantity(), [0, -1, 1001, "1", 1.0, True, None, 10**40]),
    (fields.Uuid(), ["", "x" * 36, 5, None, uuid.uuid4().hex, "{" + "0" * 34 + "}", []]),
    (
        fields.Timestamp(),
        ["2026-01-01", "2026-01-01T00:00:00", 5, None, "x" * 50, "0001-01-01T00:00:00+14:00"],
    ),
    (fields.Currency(), ["eur", "EURO", "E1R", "EUR\n", 5]),
    (fields.ActorField(), [{}, [], "admin", {"user_id": "x", "role": "admin"}, 5]),
]


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in REFUSED for value in values]
)
def test_refused(field, value):
    """Nothing out of bounds or of another type gets in, and no other exception gets out."""
    with pytest.raises(ValidationError):
        field.deserialize(value)


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        (fields.Text(max=5), "  ab\n", "ab"),
        (fields.Text(max=100), "a" + "\u0316" * 30, "a" + "\u0316" * 30),
        (fields.Money(), "9.9", decimal.Decimal("9.90")),
        (fields.Money(), 12, decimal.Decimal("12.00")),
        (fields.Money(), "999999999999.9999", decimal.Decimal("999999999999.9999")),
        (fields.Money(), "9.9950", decimal.Decimal("9.995")),
        (fields.MoneyDue(), "0.0001", decimal.Decimal("0.0001")),
        (fields.Id(), 2**63 - 1, 2**63 - 1),
        (fields.Quantity(), 1000, 1000),
        (
            fields.Timestamp(),
            "2026-01-01T01:00:00+01:00",
            datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        ),
    ],
)
def test_taken(field, value, loaded):
    """What is within bounds comes out in its own type."""
    assert field.deserialize(value) == loaded


def test_no_actor_is_nobody():
    """A call that names nobody is an error that says what to do; the system is named too."""
    for nothing in (missing, None, "", "System", []):
        with pytest.raises(ValidationError):
            fields.ActorField().deserialize(nothing)
    assert fields.ActorField().deserialize("system") is Actor.SYSTEM


def test_nobody_may_claim_to_be_the_system():
    """An actor on the wire is a person with a role."""
    with pytest.raises(ValidationError):
        fields.ActorField().deserialize({"user_id": str(uuid.uuid4()), "role": "system"})


@pytest.mark.parametrize("amount", ["5.00", "1200", "9.995", "0.0000", "999999999999"])
def test_money_goes_out_with_the_places_that_it_has(amount):
    """Amounts are strings, never binary floats, and never in the notation of science."""
    assert fields.Money().serialize("p", {"p": decimal.Decimal(amount)}) == amount


def test_a_page_is_bounded():
    """Nobody gets more than 100 rows at once."""
    assert fields.Page().load({}) == {"limit": 20, "cursor": None}
    for wrong in ({"limit": 0}, {"limit": 101}, {"limit": "many"}, {"cursor": "x" * 2000}):
        with pytest.raises(ValidationError):
            fields.Page().load(wrong)


def test_a_flood_of_accents_costs_next_to_nothing():
    """Putting thousands of them in Unicode's order would take a time that grows with the square of
    their number."""
    flood = "a" + "\u0315" * 5000 + "\u0316" * 5000
    began = time.process_time()
    with pytest.raises(ValidationError):
        fields.Text(max=20_000).deserialize(flood)
    assert time.process_time() - began < 0.1
