"""Examples for JSON schemas: given values where there are some, else the plainest that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_FORMAT = {
    "uuid": "0b8f2d3e-5c1a-4f7e-9a64-2f1d7c3b9e10",
    "date-time": "2026-01-31T12:00:00Z",
}


class Examples:
    """Composes examples; `given` has values of fields ("email", "Login.email") and schemas."""

    def __init__(self, schemas: Mapping[str, Any], given: Mapping[str, Any]):
        self._schemas = schemas
        self._given = given

    def of(self, shape: Mapping[str, Any], name: str = "", owner: str = "") -> Any:
        """An example of `shape`, which is the field `name` of the schema `owner`."""
        for key in (f"{owner}.{name}", name):
            if key in self._given:
                return self._given[key]
        if "$ref" in shape:
            owner = shape["$ref"].rpartition("/")[2]
            if owner in self._given:
                return self._given[owner]
            return self.of(self._schemas[owner], owner=owner)
        if "anyOf" in shape:
            return self.of(shape["anyOf"][0], name, owner)
        if "enum" in shape:
            return shape["enum"][0]
        return self._plain(shape, name, owner)

    def _plain(self, shape: Mapping[str, Any], name: str, owner: str) -> Any:
        kind = shape.get("type")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                properties = shape.get("properties", {})
                return {key: self.of(value, key, owner) for key, value in properties.items()}
            case "array":
                return [self.of(shape["items"], f"{name}[]", owner)]
            case "boolean":
                return True
            case "integer":
                return max(1, shape.get("minimum", 1))
            case "string" if shape.get("format") in _BY_FORMAT:
                return _BY_FORMAT[shape["format"]]
        raise KeyError(f"no example for {owner or '-'}.{name or '-'}")
