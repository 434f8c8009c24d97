"""Forms that the services and their callers share."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from chassis.fields import Dict, Id, Integer, IntegerText, Request, SingleLine, Text

MAX_SLUG = 80
#: More than this of one product in stock is a slip of the keyboard.
MAX_ON_HAND = 10_000_000
#: Attributes of one product, and items in a list among them.
MAX_ATTRIBUTES, MAX_ITEMS = 50, 20
#: Options of one product, values of each of them, and variants of one product.
MAX_OPTIONS, MAX_OPTION_VALUES, MAX_VARIANTS = 5, 200, 500
#: A ton; no parcel weighs as much.
MAX_WEIGHT_G = 1_000_000
#: Integers beyond this lose digits in most JSON readers.
MAX_NUMBER = 2**53

_SLUG = validate.Regexp(r"(?=[0-9-]*[a-z])[a-z0-9]+(-[a-z0-9]+)*\Z", error="Not a slug.")
_BARCODE = validate.Regexp(r"[\x21-\x7e]+\Z", error="Not a barcode.")
_SKU = validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z", error="Not a SKU.")

_TAX_CLASS = validate.Regexp(r"[a-z0-9_]+\Z", error="Small letters, digits and _ only.")

#: The tax class of what has no other.
STANDARD = "standard"


class Slug(SingleLine):
    """A category's name in addresses: `desk-lamps`. It has a letter, so it is never an id."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=MAX_SLUG, validate=_SLUG, **kwargs)


class Sku(SingleLine):
    """A product's number in the books of the merchant (stock keeping unit)."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=64, validate=_SKU, **kwargs)


class Barcode(SingleLine):
    """What a scanner reads from the package: a GTIN, an ISBN, or a number of one's own."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=64, validate=_BARCODE, **kwargs)


class Weight(Integer):
    """Grams."""

    def __init__(self, **kwargs: Any):
        super().__init__(min=0, max=MAX_WEIGHT_G, **kwargs)


class OptionText(SingleLine):
    """The name of an option, `Size`, or one of its values, `M`."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=50, **kwargs)


class OptionValues(Dict):
    """What makes a variant this one: `{"Size": "M", "Colour": "red"}`."""

    def __init__(self, **kwargs: Any):
        super().__init__(keys=OptionText(), values=OptionText(), max=MAX_OPTIONS, **kwargs)


class TaxClass(SingleLine):
    """Products that are taxed alike: `standard`, `reduced`, `books`. Which rate that is depends on
    where they are delivered to."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=50, validate=_TAX_CLASS, **kwargs)


class CategoryRef(fields.Field[int | str]):
    """A category by its id or its slug; digits are an id."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            metadata={"json_schema": {"type": "string", "maxLength": MAX_SLUG}}, **kwargs
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int | str:
        if not isinstance(value, str):
            return Id().deserialize(value)
        slug = SingleLine(max=MAX_SLUG).deserialize(value)
        return _IdText().deserialize(slug) if slug.isdecimal() else slug


class _IdText(IntegerText, Id):
    """An `Id` in text."""


class Attributes(Dict):
    """What a product says of itself beyond its other fields: `{"colour": "sand", "sizes": ["S",
    "M"], "weight_g": 420, "dishwasher_safe": true}`: text, numbers, truth values, and lists of
    those."""

    def __init__(self, **kwargs: Any):
        super().__init__(keys=SingleLine(max=50), max=MAX_ATTRIBUTES, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        named = super()._deserialize(value, attr, data, **kwargs)
        return {name: _value(of_name) for name, of_name in named.items()}


_TEXT = Text(max=500)


def _value(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise ValidationError(f"At most {MAX_ITEMS} in a list.")
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _TEXT.deserialize(value)
    # NaN is not below anything.
    if isinstance(value, int | float) and abs(value) <= MAX_NUMBER:
        return value
    raise ValidationError("Text, a number, true or false, or a list of those.")


class NamesVariant(Request):
    """What names a variant: its id, or that of its product when that has no other."""

    variant_id = Id()
    product_id = Id()

    @validates_schema
    def _names_one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("variant_id" in data) == ("product_id" in data):
            raise ValidationError("Give either variant_id or product_id.", "variant_id")
