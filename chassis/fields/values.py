"""Ids, moments, and on whose behalf something is done."""

import datetime
import re
import uuid
from typing import Any

from marshmallow import ValidationError, fields

from chassis.identity import Actor

UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
#: RFC 3339, 5.6.
TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID, _TIMESTAMP = re.compile(UUID), re.compile(TIMESTAMP)


class Uuid(fields.UUID):
    """A UUID in the form of RFC 9562: 36 characters, hexadecimal digits in either case."""

    def _validated(self, value: Any) -> uuid.UUID:
        if isinstance(value, uuid.UUID):
            return value
        if not isinstance(value, str) or len(value) != 36 or not _UUID.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return super()._validated(value)


class Timestamp(fields.AwareDateTime):
    """An aware moment: RFC 3339 in and out, UTC inside."""

    def __init__(self, **kwargs: Any):
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime.datetime:
        if not isinstance(value, str) or len(value) > 40 or not _TIMESTAMP.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            loaded = super()._deserialize(value.upper(), attr, data, **kwargs)
            return loaded.astimezone(datetime.UTC)
        except (OverflowError, ValidationError):  # year 1 or 9999 and an offset; 30 February
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


_UNSAID = ("required", "null")
_SAY_WHO = 'Say on whose behalf: {{"user_id": ..., "role": ...}}, or "system".'


class ActorField(fields.Field[Any]):
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
