"""What people write about themselves: the fields of users' requests."""

import re
import unicodedata
from typing import Any

from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError, fields, validate

from chassis.fields import SingleLine, String
from chassis.identity import Role
from users import passwords

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Email(SingleLine):
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


class Username(SingleLine):
    """Letters that cannot be mistaken for others, and no @: so it is never an e-mail address."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}\Z",
            error="3 to 32 letters, digits, dots, underscores and hyphens.",
        )
        super().__init__(max=32, validate=form, **kwargs)


class Phone(SingleLine):
    """A phone number as people write it."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"\+?[0-9][0-9 ()/.-]{4,30}\Z", error="Not a phone number.")
        super().__init__(max=32, validate=form, **kwargs)


class Password(String):
    """A password as it was typed: not trimmed, one Unicode form (NFKC), up to `MAX_LENGTH`."""

    def __init__(self, *, min: int = 1, **kwargs: Any):
        super().__init__(min=min, max=passwords.MAX_LENGTH, load_only=True, **kwargs)

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


class Network(String):
    """Where a request comes from, as the door tells it; None among services."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=64, load_default=None, allow_none=True, **kwargs)


class RoleField(fields.Enum):
    """One of the roles, by its name in lower case."""

    def __init__(self, **kwargs: Any):
        super().__init__(Role, by_value=True, **kwargs)
