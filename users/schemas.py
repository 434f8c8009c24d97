"""What `users` is asked, what it answers, and the events it publishes."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from chassis.fields import ActorField, Id, Page, PostalAddress, Request, Text, Timestamp, Uuid
from chassis.identity import Role
from users import passwords
from users.audit import Action
from users.fields import Code, Email, Network, OpaqueToken, Password, Phone, RoleField, Username


class Profile(Request):
    """What a user says of himself, apart from the e-mail address."""

    username = Username(allow_none=True)
    first_name = Text(max=100, allow_none=True)
    last_name = Text(max=100, allow_none=True)
    phone = Phone(allow_none=True)


class Located(Request):
    """`network` is where the one who asks is; None among services."""

    network = Network()


class SignUp(Profile, Located):
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


class Credentials(Located):
    """`email` or `username`, and the password; what is no address or name is nobody's.

    Loaded as `{"name": {"email" or "username": ...}, "password", "network"}`.
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
        name = {field: data.pop(field) for field in ("email", "username") if field in data}
        return {"name": name} | data


class Login(Credentials):
    """`user_agent` as the client sent it; what is kept is the name of a browser and a system."""

    user_agent = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=512)
    )


class LoginTotp(Located):
    """`code` of the authenticator app, or a recovery code."""

    challenge = OpaqueToken(required=True)
    code = Code(required=True)
    user_agent = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=512)
    )


class Token(Located):
    refresh_token = OpaqueToken(required=True)


class Get(Request):
    user_id = Uuid(required=True)


class CheckSession(Get):
    session_id = Uuid(load_default=None, allow_none=True)


class SessionIds(Request):
    session_ids = fields.List(Uuid(), required=True, validate=validate.Length(max=500))


class EndSession(Get, Located):
    session_id = Uuid(required=True)


class EndSessions(Get, Located):
    """`but` is the session that goes on."""

    but = Uuid(load_default=None, allow_none=True)
    actor = ActorField()


class EnrolTotp(Get):
    current_password = Password(required=True)


class ConfirmTotp(Get, Located):
    code = Code(required=True)


class DisableTotp(ConfirmTotp):
    current_password = Password(required=True)


class ResetTotp(Get, Located):
    actor = ActorField()


class ListAudit(Page):
    user_id = Uuid(load_default=None, allow_none=True)
    actor_id = Uuid(load_default=None, allow_none=True)
    action = fields.Enum(Action, by_value=True, load_default=None, allow_none=True)
    since = Timestamp(load_default=None, allow_none=True)
    until = Timestamp(load_default=None, allow_none=True)
    actor = ActorField()


class ListSignIns(Get, Page):
    pass


class Contacts(Request):
    """contacts: where these users can be reached."""

    user_ids = fields.List(Uuid(), required=True, validate=validate.Length(max=100))


class Update(Profile, Located):
    """`partial` changes only what is given. A new e-mail address needs `current_password`, a new
    role an admin."""

    user_id = Uuid(required=True)
    email = Email()
    current_password = Password(load_default=None)
    partial = fields.Boolean(load_default=False)
    role = RoleField()
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class ChangePassword(Get, Located):
    current_password = Password(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)


class ForgotPassword(Located):
    """Any text is taken for an address: what is none is nobody's."""

    email = Text(max=254, required=True)


class IssueResetToken(Request):
    reset_id = Uuid(required=True)


class ResetPassword(Located):
    token = OpaqueToken(required=True)
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


class Delete(Get, Located):
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


class SessionState(Schema):
    """A session that goes on: what its user may do at this moment; nothing but enrol in a second
    factor when he `must_enrol`."""

    role = fields.String()
    must_enrol = fields.Boolean()


class TotpSecret(Schema):
    """For an authenticator app; `uri` is what a QR code shows."""

    secret = fields.String()
    uri = fields.String()


class RecoveryCodes(Schema):
    recovery_codes = fields.List(fields.String())


class TotpState(Schema):
    enabled = fields.Boolean()
    required = fields.Boolean()
    recovery_codes_left = fields.Integer()


class LoginSession(Schema):
    """`network` and `client` as in `users.origin`; `current` is the one that asks."""

    id = fields.UUID()
    created_at = Timestamp()
    last_used_at = Timestamp()
    expires_at = Timestamp()
    network = fields.String()
    client = fields.String()
    current = fields.Boolean()


class Ended(Schema):
    """The ids of sessions that have just ended, for those who remember them as going on."""

    ended = fields.List(fields.UUID())


class AuditEntry(Schema):
    id = fields.Integer()
    at = Timestamp()
    action = fields.String()
    user_id = fields.UUID()
    actor_id = fields.UUID()
    actor_role = fields.String()
    network = fields.String()
    client = fields.String()
    request_id = fields.String()
    detail = fields.Dict()


class SignIn(Schema):
    """Of the audit trail, what users see of themselves."""

    at = Timestamp()
    succeeded = fields.Function(lambda entry: entry["action"] == Action.SIGNED_IN)
    network = fields.String()
    client = fields.String()


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


class SessionsEnded(Schema):
    """Sessions of a user that have ended before their time."""

    user_id = Uuid()
    session_ids = fields.List(Uuid())


#: Broadcasts, by their type.
NEWS = {"sessions_ended": SessionsEnded}
