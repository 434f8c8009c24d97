"""Amounts as providers count them: whole numbers of a currency's smallest unit.

What does not fit the currency is refused, never rounded.
"""

from decimal import Decimal

from chassis.currencies import fits, places, rounded
from chassis.errors import Invalid


def to_minor(
    amount: Decimal, currency: str, digits: int | None = None, of: str | None = None
) -> int:
    """`Decimal("9.99"), "EUR"` is 999. Raises `Invalid` for what has no such coin: 0.50 yen.

    `digits`: the places by which a provider counts, when they are not those of ISO 4217; `of` names
    a provider that takes fewer than the currency has.
    """
    digits = places(currency) if digits is None else digits
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        where = f" at {of}" if of else ""
        raise Invalid(errors={"amount": [f"{currency} has {digits} decimal places{where}."]})
    return int(minor)


def from_minor(minor: int, currency: str, digits: int | None = None) -> Decimal:
    """The reverse of `to_minor`."""
    amount = Decimal(minor).scaleb(-(places(currency) if digits is None else digits))
    return rounded(amount, currency) if fits(amount, currency) else amount
