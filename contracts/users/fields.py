"""Fields of what people write about themselves, and the one form of an e-mail address."""

import re
import unicodedata
from typing import Any

from email_validator import validate_email
from marshmallow import ValidationError, validate

from chassis import phones, text
from chassis.fields import PhoneNumber, SingleLine, String

#: A password's characters: the least for a new one (NIST SP 800-63B-4, 3.1.1.2, for one of two
#: factors), and the most for any, because hashing takes longer with each.
MIN_PASSWORD, MAX_PASSWORD = 8, 128
#: RFC 5321, 4.5.3.1.3, less the angle brackets.
MAX_EMAIL = 254
NO_EMAIL = "Not a valid e-mail address."
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def fold_email(written: str) -> str:
    """An e-mail address in the one form in which it is kept, looked for and compared.

    An international domain becomes its ASCII form in lower case (IDNA, UTS #46), whichever full
    stops it was written with; full-width characters become their usual form (NFKC). The local part
    stays as it was written, and only comparisons ignore its case. It is ASCII, as not all mail
    servers take others. Raises `ValueError` for what is no address; nobody is asked whether it
    exists.
    """
    usual = unicodedata.normalize("NFKC", written).replace("\u3002", ".").strip()
    if len(usual) > MAX_EMAIL or text.fault_in(usual, one_line=True):
        raise ValueError("not an address")
    found = validate_email(usual, check_deliverability=False, allow_smtputf8=False, strict=True)
    if found.ascii_email is None or len(found.ascii_email) > MAX_EMAIL:
        raise ValueError("not an address")
    return found.ascii_email


def as_compared(written: str) -> str:
    """Text that may be an e-mail address: folded then, else as it is, which is nobody's."""
    try:
        return fold_email(written)
    except ValueError:
        return written


def is_email(text: str) -> bool:
    """Whether it is an address, folded."""
    try:
        return fold_email(text) == text
    except ValueError:
        return False


class Email(SingleLine):
    """An e-mail address, folded (`fold_email`)."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=MAX_EMAIL, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        try:
            return fold_email(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as fault:
            if isinstance(fault, ValidationError):
                raise
            raise ValidationError(NO_EMAIL) from None


class SomeEmail(SingleLine):
    """Text that may be an e-mail address, which is folded then; what is none is nobody's."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=MAX_EMAIL, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return as_compared(super()._deserialize(value, attr, data, **kwargs))


class Username(SingleLine):
    """Letters that cannot be mistaken for others, and no @: so it is never an e-mail address."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}\Z",
            error="3 to 32 letters, digits, dots, underscores and hyphens.",
        )
        super().__init__(max=32, validate=form, **kwargs)


class Phone(PhoneNumber):
    """A phone number as people write it; the service makes one form of it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        if written and not phones.is_like_one(written):
            raise ValidationError(phones.FAULT)
        return written


class Password(String):
    """A password as it was typed: not trimmed, one Unicode form (NFKC), up to
    `MAX_PASSWORD`."""

    def __init__(self, *, min: int = 1, **kwargs: Any):
        super().__init__(min=min, max=MAX_PASSWORD, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if _CONTROL.search(text) or any("\ud800" <= char <= "\udfff" for char in text):
            raise ValidationError("Control characters are not allowed.")
        return unicodedata.normalize("NFKC", text)


class OpaqueToken(String):
    """An opaque token: short ASCII, whatever it may mean."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[\x21-\x7e]{1,512}\Z", error="Not a token.")
        super().__init__(max=512, validate=form, **kwargs)


class Code(String):
    """A code of an authenticator app, or a recovery code, however it is grouped."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[0-9A-Za-z -]{6,40}\Z", error="Not a code.")
        super().__init__(max=40, validate=form, **kwargs)


class Network(String):
    """Where a request comes from, as the door tells it; None among services."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=64, load_default=None, allow_none=True, **kwargs)
