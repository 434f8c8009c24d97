"""What people write about themselves: the fields of users' requests."""

import re
import unicodedata
from typing import Any

from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError, fields, validate

from chassis.fields import Text
from chassis.identity import Role
from users import passwords

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Email(Text):
    """An e-mail address by its form alone: nobody is asked whether it exists. An international
    domain becomes its ASCII form, which every mail server understands."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=254, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > 254:
            raise ValidationError("Not a valid e-mail address.")
        try:
            found = validate_email(
                text, check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError:
            raise ValidationError("Not a valid e-mail address.") from None
        return found.ascii_email


class Username(Text):
    """Letters that cannot be mistaken for others, and no @: so it is never an e-mail address."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}\Z",
            error="3 to 32 letters, digits, dots, underscores and hyphens.",
        )
        super().__init__(max=32, validate=form, **kwargs)


class Phone(Text):
    """A phone number as people write it."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"\+?[0-9][0-9 ()/.-]{4,30}\Z", error="Not a phone number.")
        super().__init__(max=32, validate=form, **kwargs)


class Password(fields.String):
    """A password as it was typed: not trimmed, one Unicode form (NFKC), up to `MAX_LENGTH`."""

    def __init__(self, *, min: int = 1, **kwargs: Any):
        length = validate.Length(min=min, max=passwords.MAX_LENGTH)
        super().__init__(load_only=True, validate=length, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > passwords.MAX_LENGTH:
            raise ValidationError(f"At most {passwords.MAX_LENGTH} characters.")
        if _CONTROL.search(text) or any("\ud800" <= char <= "\udfff" for char in text):
            raise ValidationError("Control characters are not allowed.")
        return unicodedata.normalize("NFKC", text)


class OpaqueToken(fields.String):
    """An opaque token: short ASCII, whatever it may mean."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[\x21-\x7e]{1,512}\Z", error="Not a token.")
        super().__init__(validate=form, **kwargs)


class Code(fields.String):
    """A code of an authenticator app, or a recovery code, however it is grouped."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[0-9A-Za-z -]{6,40}\Z", error="Not a code.")
        super().__init__(load_only=True, validate=form, **kwargs)


class Network(fields.String):
    """Where a request comes from, as the door tells it; None among services."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            load_default=None, allow_none=True, validate=validate.Length(max=64), **kwargs
        )


class RoleField(fields.Enum):
    """One of the roles, by its name in lower case."""

    def __init__(self, **kwargs: Any):
        super().__init__(Role, by_value=True, **kwargs)
