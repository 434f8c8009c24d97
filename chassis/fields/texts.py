"""Fields of text. Their length is checked before anything else is looked at."""

from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError, fields, validate

from chassis import countries, text


class String(fields.String):
    """Text as it came, of `min` to `max` characters: keys, cursors, signatures."""

    def __init__(self, *, max: int, min: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.min, self.max = min, max
        self.validators.insert(0, validate.Length(min=min, max=max))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and len(value) > self.max:
            raise ValidationError(f"Longer than maximum length {self.max}.")
        return super()._deserialize(value, attr, data, **kwargs)


class Text(String):
    """What people write, in Unicode's form C and trimmed, of `min` to `max` characters. Line
    feeds and tabs are the only control characters; unless `min` is 0 there is something to see."""

    one_line = False

    def __init__(self, *, max: int, min: int = 1, **kwargs: Any):
        super().__init__(max=max, min=min, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        sent = super()._deserialize(value, attr, data, **kwargs)
        if fault := text.fault_in(sent, one_line=self.one_line):
            raise ValidationError(fault)
        kept = text.normalize(sent)
        if self.min and kept and not text.is_visible(kept):
            raise ValidationError("Write something that can be seen.")
        return kept


class SingleLine(Text):
    """Text of one line: names, subjects, lines of an address. No line break of Unicode, no tab,
    nothing that turns the direction of text, and no encoded word of RFC 2047."""

    one_line = True


class Key(String):
    """A caller's key for a command that is safe to repeat."""

    MAX = 200

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z", error="Not a key.")
        super().__init__(max=self.MAX, min=1, validate=form, **kwargs)


class Url(String):
    """The address of something on the web; it is shown, never fetched by us."""

    def __init__(self, *, max: int, **kwargs: Any):
        form = validate.URL(schemes={"http", "https"}, require_tld=False)
        super().__init__(max=max, min=1, validate=form, **kwargs)


class Choice(fields.String):
    """One of a few words."""

    def __init__(self, choices: Iterable[str], **kwargs: Any):
        super().__init__(validate=validate.OneOf(list(choices)), **kwargs)


class Country(fields.String):
    """An ISO 3166-1 alpha-2 code, or Kosovo's XK."""

    def __init__(self, **kwargs: Any):
        known = validate.OneOf(countries.CODES, error="Not an ISO 3166-1 alpha-2 code.")
        super().__init__(validate=known, **kwargs)
