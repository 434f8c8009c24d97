"""Amounts as providers count them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import currencies
from chassis.errors import Invalid
from payments.providers import money

CURRENCIES = {code: currencies.places(code) for code in sorted(currencies.CODES)}
CURRENCY = st.sampled_from(list(CURRENCIES))
MINOR = st.integers(0, 10**13)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("9.99", "EUR", 999),
        ("9.90", "EUR", 990),
        ("9.00", "JPY", 9),
        ("1500.00", "JPY", 1500),
        ("9.99", "KWD", 9990),
        ("0.001", "KWD", 1),
        ("99999999.99", "USD", 9_999_999_999),
    ],
)
def test_examples(amount, currency, minor):
    """Whole numbers of the smallest coin, there and back."""
    assert money.to_minor(Decimal(amount), currency) == minor
    assert money.from_minor(minor, currency) == Decimal(amount)


@given(MINOR, CURRENCY)
def test_there_and_back(minor, currency):
    """Nothing is lost on the way, and the amount has no more places than the currency."""
    amount = money.from_minor(minor, currency)
    assert money.to_minor(amount, currency) == minor
    assert amount == round(amount, CURRENCIES[currency])
    assert int(amount) == minor // 10 ** CURRENCIES[currency]


@given(MINOR, CURRENCY, st.integers(1, 9))
def test_what_does_not_fit_is_refused(minor, currency, digit):
    """A part of the smallest coin is never rounded away, nor up."""
    places = CURRENCIES[currency]
    amount = money.from_minor(minor, currency) + Decimal(digit).scaleb(-places - 1)
    with pytest.raises(Invalid) as refused:
        money.to_minor(amount, currency)
    assert refused.value.errors == {"amount": [f"{currency} has {places} decimal places."]}


@given(MINOR, CURRENCY, st.integers(0, 4))
def test_zeros_at_the_end_are_nothing(minor, currency, zeros):
    """Only what they come to counts."""
    amount = money.from_minor(minor, currency)
    longer = amount.quantize(Decimal(1).scaleb(-CURRENCIES[currency] - zeros))
    assert money.to_minor(longer, currency) == minor


def test_the_places_of_a_provider():
    """A provider may count otherwise than ISO 4217, there and back."""
    assert money.to_minor(Decimal("5.00"), "ISK", 2) == 500
    assert str(money.from_minor(500, "ISK", 2)) == "5"
    assert money.from_minor(550, "ISK", 2) == Decimal("5.5")
    with pytest.raises(Invalid):
        money.to_minor(Decimal("5.50"), "KWD", 0)
