"""What `users` is asked, what it answers, and the event it publishes."""

import re
import unicodedata
from typing import Any

from email_validator import EmailNotValidError, validate_email
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from chassis.fields import ActorField, Page, PostalAddress, Request, Text, Timestamp, Uuid
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


class RefreshTokenField(fields.String):
    """An opaque token: short ASCII, whatever it may mean."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[\x21-\x7e]{1,512}\Z", error="Not a refresh token.")
        super().__init__(validate=form, **kwargs)


class RoleField(fields.Enum):
    """One of the roles, by its name in lower case."""

    def __init__(self, **kwargs: Any):
        super().__init__(Role, by_value=True, **kwargs)


class Profile(Request):
    """What a user says of himself, apart from the e-mail address."""

    username = Username(allow_none=True)
    first_name = Text(max=100, allow_none=True)
    last_name = Text(max=100, allow_none=True)
    phone = Phone(allow_none=True)


class SignUp(Profile):
    email = Email(required=True)
    password = Password(min=passwords.MIN_LENGTH, required=True)
    address = fields.Nested(PostalAddress, load_default=None, allow_none=True)

    @validates_schema
    def _is_hard_to_guess(self, data: dict[str, Any], **kwargs: Any) -> None:
        if passwords.is_guessable(data["password"], data["email"], data.get("username")):
            raise ValidationError("Too easy to guess, take another one.", "password")


class Create(SignUp):
    role = RoleField(load_default=Role.CUSTOMER)
    actor = ActorField()


class Login(Request):
    """`email` or `username`, and the password; what is no address or name is nobody's.

    Loaded as `{"name": {"email" or "username": ...}, "password"}`.
    """

    email = Text(max=254)
    username = Text(max=254)
    password = Password(required=True)

    @validates_schema
    def _has_one_name(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("email" in data) == ("username" in data):
            raise ValidationError("Give either the e-mail address or the user name.", "email")

    @post_load
    def _gather(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        password = data.pop("password")
        return {"name": data, "password": password}


class Token(Request):
    refresh_token = RefreshTokenField(required=True)


class Get(Request):
    user_id = Uuid(required=True)


class Update(Profile):
    """`partial` changes only what is given. A new e-mail address needs `current_password`, a new
    role an admin."""

    user_id = Uuid(required=True)
    email = Email()
    current_password = Password(load_default=None)
    partial = fields.Boolean(load_default=False)
    role = RoleField()
    actor = ActorField()


class ChangePassword(Get):
    current_password = Password(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)


class RotateKeys(Request):
    actor = ActorField()


class List(Page):
    search = Text(max=100, load_default=None, allow_none=True)
    role = RoleField(load_default=None, allow_none=True)
    actor = ActorField()


class SetRole(Get):
    role = RoleField(required=True)
    actor = ActorField()


class Delete(Get):
    actor = ActorField()


class GetAddress(Get):
    address_id = Uuid(required=True)


class AddAddress(Get, PostalAddress):
    default = fields.Boolean(load_default=None, allow_none=True)


class UpdateAddress(GetAddress, PostalAddress):
    default = fields.Boolean(load_default=None, allow_none=True)


class User(Schema):
    """Answers go by this list: what is not in it, such as the hash, stays inside."""

    id = fields.UUID()
    email = fields.String()
    username = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    phone = fields.String()
    role = fields.String()
    created_at = Timestamp()


class Address(Schema):
    id = fields.UUID()
    line1 = fields.String()
    line2 = fields.String()
    city = fields.String()
    region = fields.String()
    postal_code = fields.String()
    country = fields.String()
    default = fields.Boolean(attribute="is_default")


class Tokens(Schema):
    """By RFC 6749; `expires_in` is the access token's life in seconds."""

    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer()


class UserRegistered(Schema):
    user_id = Uuid()


EVENTS = {"user_registered": UserRegistered}
