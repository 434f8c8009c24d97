"""What `users` is asked, what it answers, and the events it publishes."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from chassis.fields import ActorField, Id, Page, PostalAddress, Request, Text, Timestamp, Uuid
from chassis.identity import Role
from users import passwords
from users.fields import Email, Network, OpaqueToken, Password, Phone, RoleField, Username


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
    network = Network()

    @validates_schema
    def _is_hard_to_guess(self, data: dict[str, Any], **kwargs: Any) -> None:
        if passwords.is_guessable(data["password"], data["email"], data.get("username")):
            raise ValidationError("Too easy to guess, take another one.", "password")


class Create(SignUp):
    role = RoleField(load_default=Role.CUSTOMER)
    actor = ActorField()


class Login(Request):
    """`email` or `username`, and the password; what is no address or name is nobody's.

    Loaded as `{"name": {"email" or "username": ...}, "password", "network"}`.
    """

    email = Text(max=254)
    username = Text(max=254)
    password = Password(required=True)
    network = Network()

    @validates_schema
    def _has_one_name(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("email" in data) == ("username" in data):
            raise ValidationError("Give either the e-mail address or the user name.", "email")

    @post_load
    def _gather(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        rest = {name: data.pop(name) for name in ("password", "network")}
        return {"name": data} | rest


class Token(Request):
    refresh_token = OpaqueToken(required=True)


class Get(Request):
    user_id = Uuid(required=True)


class Contacts(Request):
    """contacts: where these users can be reached."""

    user_ids = fields.List(Uuid(), required=True, validate=validate.Length(max=100))


class Update(Profile):
    """`partial` changes only what is given. A new e-mail address needs `current_password`, a new
    role an admin."""

    user_id = Uuid(required=True)
    email = Email()
    current_password = Password(load_default=None)
    partial = fields.Boolean(load_default=False)
    role = RoleField()
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class ChangePassword(Get):
    current_password = Password(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)


class ForgotPassword(Request):
    """Any text is taken for an address: what is none is nobody's."""

    email = Text(max=254, required=True)
    network = Network()


class IssueResetToken(Request):
    reset_id = Uuid(required=True)


class ResetPassword(Request):
    token = OpaqueToken(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)
    network = Network()


class RotateKeys(Request):
    actor = ActorField()


class List(Page):
    search = Text(max=100, load_default=None, allow_none=True)
    role = RoleField(load_default=None, allow_none=True)
    actor = ActorField()


class Find(Request):
    """find: whom these words are about."""

    search = Text(max=100, required=True)
    limit = fields.Integer(required=True, validate=validate.Range(min=1, max=100))


class SetRole(Get):
    role = RoleField(required=True)
    actor = ActorField()


class Delete(Get):
    actor = ActorField()


class GetAddress(Get):
    address_id = Uuid(required=True)


class AddAddress(Get, PostalAddress):
    default = fields.Boolean(load_default=None, allow_none=True)


class UpdateAddress(GetAddress, AddAddress):
    version = Id(load_default=None, allow_none=True)


class User(Schema):
    """Answers go by this list: what is not in it, such as the hash, stays inside."""

    id = fields.UUID()
    email = fields.String()
    username = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    phone = fields.String()
    role = fields.String()
    version = fields.Integer()
    created_at = Timestamp()


class Contact(Schema):
    """Of a user, where to reach him; nothing else."""

    id = fields.UUID()
    email = fields.String()
    phone = fields.String()


class Address(Schema):
    id = fields.UUID()
    line1 = fields.String()
    line2 = fields.String()
    city = fields.String()
    region = fields.String()
    postal_code = fields.String()
    country = fields.String()
    default = fields.Boolean(attribute="is_default")
    version = fields.Integer()


class Tokens(Schema):
    """By RFC 6749; `expires_in` is the access token's life in seconds."""

    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer()


class UserRegistered(Schema):
    user_id = Uuid()


class PasswordResetRequested(Schema):
    """`user_id` is None when the address was nobody's: then nobody is to be told."""

    reset_id = Uuid()
    user_id = Uuid(allow_none=True)


class PasswordChanged(Schema):
    user_id = Uuid()


EVENTS = {
    "user_registered": UserRegistered,
    "password_reset_requested": PasswordResetRequested,
    "password_changed": PasswordChanged,
}
