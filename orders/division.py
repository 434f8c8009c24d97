"""How an amount is divided, so that the parts add up to it to the last cent.

`share` divides it among lines that weigh differently; `upto` among the units of one line. Amounts
are not negative, and have as many decimal places as their currency.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction


def share(total: Decimal, weights: Sequence[Decimal | int], places: int = 2) -> list[Decimal]:
    """`total` in proportion to `weights`, by the largest remainder: each part is its exact one
    rounded down or up, and of equal remainders the first in the list is rounded up.

    What weighs nothing gets nothing. Raises `ValueError` when there is nobody to give it to.
    """
    whole = sum(map(Fraction, weights))
    if not whole:
        if total:
            raise ValueError("there is nothing to divide an amount among")
        return [_amount(0, places)] * len(weights)
    units = _units(total, places)
    parts = [units * Fraction(weight) / whole for weight in weights]
    rounded = [part.__floor__() for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda one: rounded[one] - parts[one])
    for one in by_remainder[: units - sum(rounded)]:
        rounded[one] += 1
    return [_amount(part, places) for part in rounded]


def upto(amount: Decimal, k: Decimal | int, n: Decimal | int, places: int = 2) -> Decimal:
    """What the first `k` of `n` units are worth, half a cent rounded up. Units a+1 to b are worth
    `upto(b) - upto(a)`; so all of them are worth `amount`, in whichever portions they go."""
    exact = Fraction(amount) * Fraction(k) / Fraction(n) * 10**places
    return _amount((exact + Fraction(1, 2)).__floor__(), places)


def _units(amount: Decimal, places: int) -> int:
    """In units of the last place; raises `ValueError` for an amount that has more places."""
    units = amount.scaleb(places)
    if units != int(units):
        raise ValueError("the amount has more places than its currency")
    return int(units)


def _amount(units: int, places: int) -> Decimal:
    return Decimal(units).scaleb(-places)
