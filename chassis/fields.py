"""Marshmallow fields and base schemas with the bounds that every border needs."""

import datetime
import decimal
import re
import uuid
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from chassis import countries
from chassis.identity import Actor

#: Control characters (line feed and tab apart) have no place in what people write.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

MAX_MONEY = decimal.Decimal("99999999.99")
_CENT = decimal.Decimal("0.01")


class Request(Schema):
    """What a caller sends: every field is named, unknown ones are refused."""

    class Meta:
        unknown = RAISE


class Expected(Schema):
    """What we need of somebody else's answer or event: the rest may change (tolerant reader)."""

    class Meta:
        unknown = EXCLUDE


class Text(fields.String):
    """Trimmed text of `min` to `max` characters without NUL or other control characters."""

    def __init__(self, *, max: int, min: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.validators.insert(0, validate.Length(min=min, max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if _CONTROL.search(text):
            raise ValidationError("Control characters are not allowed.")
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can carry and UTF-8 cannot
            raise ValidationError("Not valid Unicode.") from None
        return text


class Money(fields.Decimal):
    """An amount with two places: a string or an integer in, `Decimal` inside, "9.99" out.

    Floats are refused: 0.1 + 0.2 is not money.
    """

    def __init__(self, *, min: decimal.Decimal | str = "0", **kwargs: Any):
        super().__init__(as_string=True, allow_nan=False, **kwargs)
        self.validators.insert(0, validate.Range(min=decimal.Decimal(min), max=MAX_MONEY))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> decimal.Decimal:
        if isinstance(value, bool | float) or len(str(value)) > 32:
            raise ValidationError('Give the amount as a string such as "9.99".')
        amount = super()._deserialize(value, attr, data, **kwargs)
        if abs(amount) > MAX_MONEY or amount != amount.quantize(_CENT):
            raise ValidationError(f"At most two places and at most {MAX_MONEY}.")
        return amount.quantize(_CENT)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else str(decimal.Decimal(value).quantize(_CENT))


class Currency(fields.String):
    """An ISO 4217 code: three capital letters."""

    def __init__(self, **kwargs: Any):
        super().__init__(validate=validate.Regexp(r"[A-Z]{3}\Z"), **kwargs)


class Id(fields.Integer):
    """A positive integer that PostgreSQL's bigint can hold."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.validators.insert(0, validate.Range(min=1, max=2**63 - 1))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Quantity(fields.Integer):
    """How many of a product: 1 to `max`."""

    def __init__(self, *, min: int = 1, max: int = 1000, **kwargs: Any):
        super().__init__(strict=True, **kwargs)
        self.validators.insert(0, validate.Range(min=min, max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Uuid(fields.UUID):
    """A UUID in its canonical form."""

    def _validated(self, value: Any) -> uuid.UUID:
        if isinstance(value, uuid.UUID):
            return value
        if not isinstance(value, str) or len(value) != 36:
            raise self.make_error("invalid_uuid")
        return super()._validated(value)


class Timestamp(fields.AwareDateTime):
    """An aware moment: RFC 3339 in and out, UTC inside."""

    def __init__(self, **kwargs: Any):
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime.datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(datetime.UTC)
        except OverflowError:  # year 1 or 9999 and an offset
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


_UNSAID = ("required", "null")
_SAY_WHO = 'Say on whose behalf: {{"user_id": ..., "role": ...}}, or "system".'


class ActorField(fields.Field):
    """On whose behalf: `{"user_id": ..., "role": ...}`, or "system". It has to be said: nobody gets
    the rights of the system by forgetting to.

    Actors come from the gateway, which has verified a token; nothing of a client's body gets here.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(required=True, error_messages=dict.fromkeys(_UNSAID, _SAY_WHO), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Actor:
        try:
            return Actor.from_wire(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValidationError("Not an actor.") from None


class Country(fields.String):
    """An ISO 3166-1 alpha-2 code."""

    def __init__(self, **kwargs: Any):
        known = validate.OneOf(countries.CODES, error="Not an ISO 3166-1 alpha-2 code.")
        super().__init__(validate=known, **kwargs)


class PostalAddress(Request):
    """`{line1, line2?, city, region?, postal_code, country}`; what is not given becomes None."""

    line1 = Text(max=200, required=True)
    line2 = Text(max=200, load_default=None, allow_none=True)
    city = Text(max=100, required=True)
    region = Text(max=100, load_default=None, allow_none=True)
    postal_code = Text(max=20, required=True)
    country = Country(required=True)


class Page(Request):
    """Which part of a list: `limit` rows after `cursor`."""

    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=1024))
