"""Fields of numbers, and what is written as briefly: amounts, currencies, true and false."""

import decimal
import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from chassis import currencies
from chassis.fields.texts import String

#: The most that one amount may be, in any currency, and its form: how many places it may have, the
#: currency says.
MAX_MONEY = decimal.Decimal("999999999999.9999")
MONEY = r"[0-9]{1,12}(?:\.[0-9]{1,4})?"
_MONEY = re.compile(MONEY)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_LONGEST = len(str(MAX_MONEY))


class Money(fields.Decimal):
    """An amount: "9.99" (`MONEY`) or an integer in, `Decimal` inside, "9.99" out.

    It goes out with the places that it has: those of its currency, which whoever takes an amount
    from outside gives it (`chassis.currencies.exact`). Floats are refused: 0.1 + 0.2 is not money.
    """

    def __init__(self, *, min: decimal.Decimal | str = "0", **kwargs: Any):
        super().__init__(as_string=True, allow_nan=False, **kwargs)
        self.min = decimal.Decimal(min)
        self.validators.insert(0, validate.Range(min=self.min, max=MAX_MONEY))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> decimal.Decimal:
        if type(value) is int and 0 <= value <= MAX_MONEY:
            value = str(value)
        if not isinstance(value, str) or len(value) > _LONGEST or not _MONEY.fullmatch(value):
            raise ValidationError(
                f'Give the amount as a string such as "9.99", {MAX_MONEY} at most.'
            )
        return super()._deserialize(value, attr, data, **kwargs)


class MoneyDue(Money):
    """An amount that is more than nothing."""

    def __init__(self, **kwargs: Any):
        super().__init__(min=decimal.Decimal(1).scaleb(-currencies.MOST_PLACES), **kwargs)


class Currency(String):
    """Three capital letters (ISO 4217), of a currency that may have left circulation since."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=3, min=3, validate=validate.Regexp(r"[A-Z]{3}\Z"), **kwargs)


class CurrencyInUse(fields.String):
    """The code of a currency in circulation, in which prices can be set."""

    def __init__(self, **kwargs: Any):
        known = validate.OneOf(
            sorted(currencies.CODES), error="Not the ISO 4217 code of a currency in circulation."
        )
        super().__init__(validate=known, **kwargs)


class Integer(fields.Integer):
    """A JSON integer from `min` to `max`; no text, no float and no truth value is one."""

    def __init__(self, *, min: int, max: int, **kwargs: Any):
        super().__init__(strict=True, **kwargs)
        self.validators.insert(0, validate.Range(min=min, max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Id(Integer):
    """A positive integer that PostgreSQL's bigint can hold."""

    def __init__(self, **kwargs: Any):
        super().__init__(min=1, max=2**63 - 1, **kwargs)


class Quantity(Integer):
    """How many of a product: 1 to `max`."""

    def __init__(self, *, min: int = 1, max: int = 1000, **kwargs: Any):
        super().__init__(min=min, max=max, **kwargs)


class IntegerText(Integer):
    """An integer, also in a path or query: as JSON writes it, no sign of plus, no zero in front."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            if not _INTEGER.fullmatch(value):
                raise self.make_error("invalid", input=value)
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Boolean(fields.Boolean):
    """JSON's true or false, and nothing that looks like it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class BooleanText(fields.Boolean):
    """`true` or `false` in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return value == "true"
