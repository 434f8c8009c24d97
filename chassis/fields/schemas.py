"""Base schemas of requests and of what others send."""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, pre_load

from chassis import text
from chassis.fields.numbers import IntegerText
from chassis.fields.texts import String, Text, Url

#: Fields in one object; no schema has as many.
MAX_FIELDS = 100
#: White space in a text that counts as not given; no field takes more.
MAX_BLANK = 10_000


class Request(Schema):
    """What a caller sends: every field is named, unknown ones are refused.

    Optional text that holds nothing but white space counts as not given, as an empty field of a
    form does; where a field may be null, it is null.
    """

    class Meta:
        unknown = RAISE

    @pre_load
    def _bound(self, data: Any, **kwargs: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        if len(data) > MAX_FIELDS:
            raise ValidationError(f"At most {MAX_FIELDS} fields.")
        blank = [name for name, value in data.items() if self._is_blank(name, value)]
        if not blank:
            return data
        return {n: v for n, v in data.items() if n not in blank} | {
            n: None for n in blank if self._texts()[n].allow_none
        }

    def _is_blank(self, name: str, value: Any) -> bool:
        if not isinstance(value, str) or len(value) > MAX_BLANK or not text.is_blank(value):
            return False
        return name in self._texts()

    def _texts(self) -> dict[str, fields.Field[Any]]:
        """The optional texts that may not be empty, by their names on the wire."""
        return {
            field.data_key or name: field
            for name, field in self.load_fields.items()
            if isinstance(field, Text | Url) and field.min and not field.required
        }


class Expected(Schema):
    """What we need of somebody else's answer or event: the rest may change (tolerant reader)."""

    class Meta:
        unknown = EXCLUDE


class Answer(Expected):
    """What a method answers: all its fields are there, and who reads it minds no others."""


class PlainAnswer(Answer):
    """An answer of rows that are asked for again and again: each value goes out as JSON writes it
    (`chassis.broker.message.dumps`), which is the form that its field has, too."""

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """The fields of `obj` as they are; raises KeyError for one that is not there."""
        if many:
            return [self.dump(one) for one in obj]
        return {name: obj[name] for name in self.fields}


class EventPayload(Expected):
    """What a service publishes: ids, amounts and codes, nothing that a person has typed."""


class Page(Request):
    """Which part of a list, in a query or a call: `limit` rows after `cursor`."""

    limit = IntegerText(min=1, max=100, load_default=20)
    cursor = String(max=1024, load_default=None, allow_none=True)


def page_of(resource: type[Schema]) -> type[Schema]:
    """The schema of one page of a list: `{"items": [...], "next": "..." or null}`."""
    following = fields.String(required=True, allow_none=True)
    return _list_of(resource, f"{resource.__name__}Page", next=following)


def keyed(resource: type[Schema]) -> type[Schema]:
    """The schema of what a request under a key answers: the resource as it is now, and `replayed`,
    whether the key had been used before."""
    replayed = fields.Boolean(required=True)
    return resource.from_dict({"replayed": replayed}, name=f"Keyed{resource.__name__}")


def items_of(resource: type[Schema]) -> type[Schema]:
    """The schema of a whole list: `{"items": [...]}`."""
    return _list_of(resource, f"{resource.__name__}List")


def _list_of(resource: type[Schema], name: str, **more: fields.Field[Any]) -> type[Schema]:
    items = fields.List(fields.Nested(resource), required=True)
    return Answer.from_dict({"items": items, **more}, name=name)
