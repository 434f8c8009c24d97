"""Currencies in circulation, and how many decimal places they have (ISO 4217, list one)."""

from decimal import ROUND_HALF_UP, Decimal

from babel.core import get_global

from chassis.errors import Invalid

#: The most that any currency has.
MOST_PLACES = 4

#: Those that have not two.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_PLACES = (
    dict.fromkeys(_NONE.split(), 0)
    | dict.fromkeys(_THREE.split(), 3)
    | dict.fromkeys(_FOUR.split(), 4)
)

#: The smallest coin by its places.
_COINS = tuple(Decimal(1).scaleb(-number) for number in range(MOST_PLACES + 1))

#: What is legal tender somewhere, with no end of that known (CLDR, as Babel has it).
CODES = frozenset(
    code
    for used in get_global("territory_currencies").values()
    for code, _, end, is_tender in used
    if is_tender and end is None
)


def places(currency: str) -> int:
    """The yen has none, the Kuwaiti dinar three, most have two."""
    return _PLACES.get(currency, 2)


def fits(amount: Decimal, currency: str) -> bool:
    """Whether `amount` can be paid: there are no 9.50 yen."""
    return amount == rounded(amount, currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` with the places of its currency, half of the smallest coin rounded up."""
    return amount.quantize(_COINS[places(currency)], ROUND_HALF_UP)


def exact(amount: Decimal, currency: str, field: str = "amount") -> Decimal:
    """`amount` with the places of its currency: 9.9 EUR is 9.90, and 1200.00 JPY is 1200.

    Raises `Invalid`, which names `field`, for what cannot be paid.
    """
    if not fits(amount, currency):
        raise Invalid(errors={field: [f"{currency} has {places(currency)} decimal places."]})
    return rounded(amount, currency)


def zero(currency: str) -> Decimal:
    """Nothing, with the places of a currency."""
    return 0 * _COINS[places(currency)]


def places_in_sql(currency: str = "currency") -> str:
    """An SQL expression for the places of the currency in a column."""
    cases = (f"WHEN '{code}' THEN {number}" for code, number in _PLACES.items())
    return f"CASE {currency} {' '.join(cases)} ELSE 2 END"
