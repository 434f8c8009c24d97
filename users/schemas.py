"""What `users` is asked, what it answers, and the events it publishes."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from chassis.fields import (
    ActorField,
    AddressFields,
    Boolean,
    Dict,
    Expected,
    Id,
    Integer,
    Page,
    PostalAddress,
    Request,
    SingleLine,
    String,
    Timestamp,
    Uuid,
)
from chassis.fields import List as ListOf
from chassis.identity import Role
from users import passwords
from users.audit import Action
from users.fields import (
    Code,
    Email,
    Fact,
    Network,
    OpaqueToken,
    Password,
    Phone,
    RoleField,
    SomeEmail,
    Username,
)


class Profile(Request):
    """What a user says of himself, apart from the e-mail address."""

    username = Username(allow_none=True)
    first_name = SingleLine(max=100, allow_none=True)
    last_name = SingleLine(max=100, allow_none=True)
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
        names = (data.get(name) for name in passwords.NAMES)
        if passwords.is_guessable(data["password"], *names):
            raise ValidationError(passwords.TOO_EASY, "password")


class Create(SignUp):
    """`email_verified` when whoever makes the account answers for the address."""

    role = RoleField(load_default=Role.CUSTOMER)
    email_verified = Boolean(load_default=False)
    actor = ActorField()

    @validates_schema
    def _is_hard_to_guess(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["password"] != passwords.PUBLIC:  # which `create` takes in a demo
            super()._is_hard_to_guess(data, **kwargs)


class Credentials(Located):
    """`email` or `username`, and the password; what is no address or name is nobody's.

    Loaded as `{"name": {"email" or "username": ...}, "password", "network"}`.
    """

    email = SomeEmail()
    username = SingleLine(max=254)
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

    user_agent = String(max=512, load_default=None, allow_none=True)


class LoginTotp(Located):
    """`code` of the authenticator app, or a recovery code."""

    challenge = OpaqueToken(required=True)
    code = Code(required=True)
    user_agent = String(max=512, load_default=None, allow_none=True)


class Token(Located):
    refresh_token = OpaqueToken(required=True)


class Get(Request):
    user_id = Uuid(required=True)


class CheckSession(Get):
    session_id = Uuid(load_default=None, allow_none=True)


class SessionIds(Request):
    session_ids = ListOf(Uuid(), max=500, required=True)


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


class RenewRecoveryCodes(DisableTotp):
    pass


class ResetTotp(Get, Located):
    actor = ActorField()


class ListAudit(Page):
    user_id = Uuid(load_default=None, allow_none=True)
    actor_id = Uuid(load_default=None, allow_none=True)
    action = fields.Enum(Action, by_value=True, load_default=None, allow_none=True)
    target = SingleLine(max=24, load_default=None, allow_none=True)
    target_id = SingleLine(max=64, load_default=None, allow_none=True)
    since = Timestamp(load_default=None, allow_none=True)
    until = Timestamp(load_default=None, allow_none=True)
    actor = ActorField()


class ListSignIns(Get, Page):
    pass


class Contacts(Request):
    """contacts: where these users can be reached."""

    user_ids = ListOf(Uuid(), max=100, required=True)


class Update(Profile, Located):
    """`partial` changes only what is given. A new e-mail address, user name or phone number needs
    `current_password`, a new role an admin. What is stored already may be no address by today's
    rules (`users.contacts`)."""

    user_id = Uuid(required=True)
    email = SomeEmail()
    current_password = Password(load_default=None)
    partial = Boolean(load_default=False)
    role = RoleField()
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class ChangePassword(Get, Located):
    current_password = Password(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)


class ForgotPassword(Located):
    """Any text is taken for an address: what is none is nobody's."""

    email = SomeEmail(required=True)


class IssueResetToken(Request):
    reset_id = Uuid(required=True)


class ResetPassword(Located):
    token = OpaqueToken(required=True)
    new_password = Password(min=passwords.MIN_LENGTH, required=True)


class VerifyEmail(Located):
    """verify_email: the token as the mail has it."""

    token = OpaqueToken(required=True)


class IssueVerificationToken(Request):
    verification_id = Uuid(required=True)


class OldEmail(Request):
    change_id = Uuid(required=True)


class MarkEmailVerified(Get):
    actor = ActorField()


class RotateKeys(Request):
    actor = ActorField()


class List(Page):
    search = SingleLine(max=100, load_default=None, allow_none=True)
    role = RoleField(load_default=None, allow_none=True)
    actor = ActorField()


class Find(Request):
    """find: whom these words are about."""

    search = SingleLine(max=100, required=True)
    limit = Integer(min=1, max=100, required=True)


class SetRole(Get):
    role = RoleField(required=True)
    actor = ActorField()


class Delete(Get, Located):
    actor = ActorField()


class GetAddress(Get):
    address_id = Uuid(required=True)


class AddAddress(Get, PostalAddress):
    default = Boolean(load_default=None, allow_none=True)


class UpdateAddress(GetAddress, AddressFields):
    """update_address: what is other than it was has to be of its country (`users.addresses`)."""

    default = Boolean(load_default=None, allow_none=True)
    version = Id(load_default=None, allow_none=True)


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


class Address(Schema):
    id = fields.UUID()
    name = fields.String()
    company = fields.String()
    phone = fields.String()
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
    target = fields.String()
    target_id = fields.String()
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


class EmailVerificationRequested(Schema):
    """Whose address is to be confirmed; the token and the address are asked for by the id."""

    verification_id = Uuid()
    user_id = Uuid()


class EmailChangeRequested(Schema):
    """Somebody with the user's password has asked for another address."""

    user_id = Uuid()


class EmailChanged(Schema):
    """The old address is asked for by `change_id`, None when it was never confirmed."""

    change_id = Uuid(allow_none=True)
    user_id = Uuid()


class AccountRecovered(Schema):
    """The owner of the e-mail address has taken over an account that somebody else had made."""

    user_id = Uuid()


class TotpEnabled(Schema):
    """From now on signing in takes a code."""

    user_id = Uuid()


class TotpDisabled(Schema):
    """The password alone is enough again; the user, or an admin, has seen to that."""

    user_id = Uuid()


class RecoveryCodeUsed(Schema):
    """Somebody has signed in with a recovery code, of which so many are `left`."""

    user_id = Uuid()
    left = fields.Integer()


class RecoveryCodesRenewed(Schema):
    """There are other recovery codes now."""

    user_id = Uuid()


EVENTS = {
    "user_registered": UserRegistered,
    "password_reset_requested": PasswordResetRequested,
    "password_changed": PasswordChanged,
    "email_verification_requested": EmailVerificationRequested,
    "email_change_requested": EmailChangeRequested,
    "email_changed": EmailChanged,
    "account_recovered": AccountRecovered,
    "totp_enabled": TotpEnabled,
    "totp_disabled": TotpDisabled,
    "recovery_code_used": RecoveryCodeUsed,
    "recovery_codes_renewed": RecoveryCodesRenewed,
}


class StaffActed(Expected):
    """What we need of staff_acted, of whichever service (`chassis.staff`)."""

    action = String(max=40, required=True)
    actor_id = Uuid(required=True)
    actor_role = RoleField(required=True)
    target = String(max=24, required=True)
    target_id = String(max=64, required=True)
    user_id = Uuid(load_default=None, allow_none=True)
    network = Network()
    detail = Dict(keys=String(max=40), values=Fact(allow_none=True), max=20, load_default=dict)


class SessionsEnded(Schema):
    """Sessions of a user that have ended before their time."""

    user_id = Uuid()
    session_ids = fields.List(Uuid())


#: Broadcasts, by their type.
NEWS = {"sessions_ended": SessionsEnded}
