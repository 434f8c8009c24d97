"""Lists and objects. How much is in them is checked before it is looked at."""

from typing import Any

from marshmallow import ValidationError, fields, validate


class List(fields.List[Any]):
    """A list of `min` to `max` items, which are looked at once their number is right."""

    def __init__(self, inner: fields.Field[Any], *, max: int, min: int = 0, **kwargs: Any):
        super().__init__(inner, **kwargs)
        self.max = max
        self.validators.insert(0, validate.Length(min=min, max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.max:
            raise ValidationError(f"Longer than maximum length {self.max}.")
        return super()._deserialize(value, attr, data, **kwargs)


class Dict(fields.Dict):
    """An object of up to `max` names, which are looked at once their number is right."""

    def __init__(self, *, max: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.max = max
        self.validators.insert(0, validate.Length(max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[Any, Any]:
        if isinstance(value, dict) and len(value) > self.max:
            raise ValidationError(f"Longer than maximum length {self.max}.")
        return super()._deserialize(value, attr, data, **kwargs)
