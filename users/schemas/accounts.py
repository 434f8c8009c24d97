"""Accounts: sign-up, profiles, roles, and the confirmation of e-mail addresses."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from chassis.fields import (
    ActorField,
    Boolean,
    Id,
    Integer,
    Page,
    PostalAddress,
    Request,
    SingleLine,
    Text,
    Timestamp,
    Uuid,
)
from chassis.fields import List as ListOf
from chassis.identity import Role
from users.fields import Email, OpaqueToken, Password, Phone, RoleField, SomeEmail, Username
from users.passwords import rules as password_rules
from users.schemas.common import Get, Located


class Profile(Request):
    """What a user says of himself, apart from the e-mail address."""

    username = Username(allow_none=True)
    first_name = SingleLine(max=100, allow_none=True)
    last_name = SingleLine(max=100, allow_none=True)
    phone = Phone(allow_none=True)


class SignUp(Profile, Located):
    email = Email(required=True)
    password = Password(min=password_rules.MIN_LENGTH, required=True)
    address = fields.Nested(PostalAddress, load_default=None, allow_none=True)

    @validates_schema
    def _is_hard_to_guess(self, data: dict[str, Any], **kwargs: Any) -> None:
        names = (data.get(name) for name in password_rules.NAMES)
        if password_rules.is_guessable(data["password"], *names):
            raise ValidationError(password_rules.TOO_EASY, "password")


class Create(SignUp):
    """`email_verified` when whoever makes the account answers for the address."""

    role = RoleField(load_default=Role.CUSTOMER)
    email_verified = Boolean(load_default=False)
    actor = ActorField()

    @validates_schema
    def _is_hard_to_guess(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["password"] != password_rules.PUBLIC:  # which `create` takes in a demo
            super()._is_hard_to_guess(data, **kwargs)


class Contacts(Request):
    """contacts: where these users can be reached."""

    user_ids = ListOf(Uuid(), max=100, required=True)


class Update(Profile, Located):
    """`partial` changes only what is given. A new e-mail address, user name or phone number needs
    `current_password`, a new role an admin. What is stored already may be no address by today's
    rules (`users.accounts.contacts`)."""

    user_id = Uuid(required=True)
    email = SomeEmail()
    current_password = Password(load_default=None)
    partial = Boolean(load_default=False)
    role = RoleField()
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class VerifyEmail(Located):
    """verify_email: the token as the mail has it."""

    token = OpaqueToken(required=True)


class IssueVerificationToken(Request):
    verification_id = Uuid(required=True)


class OldEmail(Request):
    change_id = Uuid(required=True)


class MarkEmailVerified(Get):
    actor = ActorField()


class List(Page):
    search = Text(max=100, load_default=None, allow_none=True)
    role = RoleField(load_default=None, allow_none=True)
    actor = ActorField()


class Find(Request):
    """find: whom these words are about."""

    search = Text(max=100, required=True)
    limit = Integer(min=1, max=100, required=True)


class SetRole(Get):
    role = RoleField(required=True)
    actor = ActorField()


class Delete(Get, Located):
    actor = ActorField()


class User(Schema):
    """Answers go by this list: what is not in it, such as the hash, stays inside."""

    id = fields.UUID()
    email = fields.String()
    email_verified = fields.Boolean()
    pending_email = fields.String()
    username = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    phone = fields.String()
    role = fields.String()
    version = fields.Integer()
    created_at = Timestamp()


class Contact(Schema):
    """Of a user, where to reach him; nothing else. `email` is None until it is confirmed."""

    id = fields.UUID()
    email = fields.String()
    email_verified = fields.Boolean()
    phone = fields.String()
