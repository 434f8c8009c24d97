"""Marshmallow schemas as JSON Schema 2020-12, exactly: with the patterns and bounds of our fields.

A schema adds rules across fields as its attribute `json_schema`, e.g. `{"minProperties": 1}`; a
field of no known kind has its own as metadata of that name.
"""

from __future__ import annotations

import math
from collections.abc import Set
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow import fields as ma

from chassis import fields, text

_TIMESTAMP = {
    "type": "string",
    "format": "date-time",
    "pattern": f"^{fields.TIMESTAMP}$",
    "maxLength": 40,
}


class Converter(OpenAPIConverter):
    """apispec's converter, which also knows our fields."""

    def field2property(self, field: ma.Field[Any]) -> dict[str, Any]:
        """The JSON Schema of a field."""
        shape = super().field2property(field)
        for key in [k for k in shape if k.startswith("x-")]:
            del shape[key]
        special = _special(field, _is_sent(field))
        if special:
            for key in ("minimum", "maximum"):
                shape.pop(key, None)  # a decimal's, which has become text
            shape.update(special)
            if field.allow_none:
                kinds = special["type"]
                shape["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
        shape.update(field.metadata.get("json_schema", {}))
        if "pattern" in shape:
            shape["pattern"] = _portable(shape["pattern"])
        if shape.get("default", "") is None:
            del shape["default"]  # generators take it for a value that is always there
        if any(isinstance(getattr(rule, "choices", None), Set) for rule in field.validators):
            # The same in every process; null comes last.
            shape["enum"] = sorted(shape["enum"], key=lambda one: (one is None, str(one)))
        if isinstance(field, ma.Dict):
            _rename(shape, minLength="minProperties", maxLength="maxProperties")
            if field.key_field:
                shape["propertyNames"] = self.field2property(field.key_field)
        if isinstance(field, ma.Integer) and "format" not in shape:
            least = shape.setdefault("minimum", -(2**31))
            most = shape.setdefault("maximum", 2**31 - 1)
            shape["format"] = "int32" if least >= -(2**31) and most < 2**31 else "int64"
        return shape

    def schema2parameters(self, schema: Schema, **options: Any) -> list[dict[str, Any]]:
        """Parameters have text for values: nothing is null there."""
        parameters = super().schema2parameters(schema, **options)
        for parameter in parameters:
            shape = parameter["schema"]
            if isinstance(shape.get("type"), list):
                shape["type"] = shape["type"][0]
                if shape["type"] == "string":  # an amount may be an integer elsewhere
                    for name in ("minimum", "maximum"):
                        shape.pop(name, None)
                    if shape.get("format") == "int32":
                        del shape["format"]
        return parameters

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """The JSON Schema of a schema, with its own docstring and rules."""
        shape = super().schema2jsonschema(schema)
        cls = schema if isinstance(schema, type) else type(schema)
        if issubclass(cls, fields.Answer):
            shape["additionalProperties"] = False  # it is read tolerantly, and sent exactly so
        if doc := cls.__dict__.get("__doc__"):
            shape["description"] = " ".join(doc.split())
        return shape | getattr(cls, "json_schema", {})


class Plugin(MarshmallowPlugin):
    """Names each schema by its class."""

    Converter = Converter
    converter: OpenAPIConverter

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=_name)


def _name(schema: Any) -> str:
    return schema.__name__ if isinstance(schema, type) else type(schema).__name__


def _is_sent(field: ma.Field[Any]) -> bool:
    """Whether clients send the field; else we answer with it."""
    parent = field.parent
    while isinstance(parent, ma.Field):
        parent = parent.parent
    return isinstance(parent, fields.Request)


def _special(field: ma.Field[Any], is_sent: bool) -> dict[str, Any]:
    """What apispec can't know of our fields."""
    match field:
        case fields.Money() if is_sent:
            return _money(field)
        case ma.Decimal():
            return {"type": "string", "pattern": r"^[0-9]{1,16}(\.[0-9]{1,4})?$"}
        case fields.Currency():
            return {"type": "string", "pattern": "^[A-Z]{3}$", "minLength": 3, "maxLength": 3}
        case fields.Uuid():
            pattern = f"^{fields.UUID}$"
            return {"type": "string", "format": "uuid", "pattern": pattern, "maxLength": 36}
        case fields.Timestamp():
            return _TIMESTAMP
        case fields.Url():
            least = {"minLength": 0} if _may_be_blank(field, is_sent) else {}
            return {"type": "string", "format": "uri"} | least
        case fields.Text():
            optional = _may_be_blank(field, is_sent)
            pattern = text.pattern(
                one_line=field.one_line, may_be_blank=optional, may_be_empty=not field.min
            )
            least = {"minLength": 0 if optional else field.min}
            return {"type": "string", "pattern": pattern} | least
    return {}


def _may_be_blank(field: ma.Field[Any], is_sent: bool) -> bool:
    """Whether clients may send an optional field of a form empty (`chassis.fields.Request`)."""
    return is_sent and isinstance(field.parent, Schema) and not field.required


def _money(field: fields.Money) -> dict[str, Any]:
    """Text or an integer; in a path or query all is text."""
    least = field.min
    not_nothing = r"(?!0+(?:\.0+)?$)" if least else ""
    return {
        "type": ["string", "integer"],
        "format": "int64",  # of the integer: formats of numbers say nothing of text
        "pattern": f"^{not_nothing}{fields.MONEY}$",
        "maxLength": len(str(fields.MAX_MONEY)),
        "minimum": math.ceil(least),
        "maximum": int(fields.MAX_MONEY),
    }


def _portable(pattern: str) -> str:
    """Python's regular expression as ECMA-262 has it; marshmallow matches from the start."""
    body = pattern.removeprefix("^").removesuffix(r"\Z").removesuffix("$")
    return f"^{body}$"


def _rename(shape: dict[str, Any], **names: str) -> None:
    for old, new in names.items():
        if old in shape:
            shape[new] = shape.pop(old)
