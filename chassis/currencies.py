"""Currencies in circulation, and how many decimal places they have (ISO 4217, list one)."""

from decimal import Decimal

from babel.core import get_global

#: Those that have not two.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_PLACES = (
    dict.fromkeys(_NONE.split(), 0)
    | dict.fromkeys(_THREE.split(), 3)
    | dict.fromkeys(_FOUR.split(), 4)
)

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
    return amount == round(amount, places(currency))
