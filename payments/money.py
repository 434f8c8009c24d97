"""Amounts as providers count them: whole numbers of a currency's smallest unit.

ISO 4217 says how many places each currency has: most two, the yen none, the Kuwaiti dinar three.
The shop itself writes every amount with two places; what does not fit the currency is refused,
never rounded.
"""

from decimal import Decimal

from chassis.errors import Invalid

#: Places of the currencies that do not have two (ISO 4217, list one).
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_PLACES = dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)


def places(currency: str) -> int:
    """How many decimal places a currency has."""
    return _PLACES.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """`Decimal("9.99"), "EUR"` is 999. Raises `Invalid` for what has no such coin: 0.50 yen."""
    minor = amount.scaleb(places(currency))
    if minor != minor.to_integral_value():
        raise Invalid(errors={"amount": [f"{currency} has {places(currency)} decimal places."]})
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """The reverse of `to_minor`."""
    return Decimal(minor).scaleb(-places(currency))
