"""What users is asked.

`network` is the address, or IPv6 network, that a request comes from; None among services. People
have typed passwords, tokens, names and addresses: methods that take them name them as
`sensitive_arguments`.
"""

from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from chassis.fields import (
    ActorField,
    AddressFields,
    Boolean,
    Choice,
    Id,
    Integer,
    List,
    Page,
    PostalAddress,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from chassis.identity import Role
from contracts.users.enums import Action, Target
from contracts.users.fields import (
    MIN_PASSWORD,
    Code,
    Email,
    Network,
    OpaqueToken,
    Password,
    Phone,
    SomeEmail,
    Username,
)


class Located(Request):
    """A request of which it matters where it comes from."""

    network = Network()


class OfUser(Request):
    """get, request_email_verification, list_addresses, default_address, get_totp: of one user."""

    user_id = Uuid(required=True)


# Accounts


class Profile(Request):
    """What users say of themselves, apart from the e-mail address."""

    username = Username(allow_none=True)
    first_name = SingleLine(max=100, allow_none=True)
    last_name = SingleLine(max=100, allow_none=True)
    phone = Phone(allow_none=True)


class SignUp(Profile, Located):
    """sign_up: an account for oneself, with a first address if one is given."""

    email = Email(required=True)
    password = Password(min=MIN_PASSWORD, required=True)
    address = fields.Nested(PostalAddress, allow_none=True)


class Create(SignUp):
    """create: an account for somebody else, by an admin; `email_verified` when whoever makes it
    answers for the address."""

    role = Choice(Role, load_default=Role.CUSTOMER)
    email_verified = Boolean(load_default=False)
    actor = ActorField()


class Update(Profile, Located, OfUser):
    """update: the profile; `partial` changes only what is given. Another e-mail address, user name
    or phone number needs `current_password`, another role an admin. What is stored already may be
    no address by today's rules, and can be sent again."""

    email = SomeEmail()
    current_password = Password(min=0, load_default=None)
    partial = Boolean(load_default=False)  # type: ignore[assignment]  # no option of marshmallow's
    role = Choice(Role)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()

    @post_load
    def _without_empty_password(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """A form sends it empty where nobody has typed it."""
        if data.get("current_password") == "":
            data["current_password"] = None
        return data


class Delete(OfUser, Located):
    """delete, reset_totp: by an admin."""

    actor = ActorField()


class ListUsers(Page):
    """list: users, newest first; staff who are no admins give a `search`."""

    search = Text(
        max=100,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Words, each a part of the name, user name, e-mail address or phone"
            " number, without regard to accents and capitals."
        },
    )
    role = Choice(Role, load_default=None, allow_none=True)
    actor = ActorField()


class Find(Request):
    """find: whom these words are about."""

    search = Text(max=100, required=True)
    limit = Integer(min=1, max=100, required=True)


class Contacts(Request):
    """contacts: where these users can be reached."""

    user_ids = List(Uuid(), max=100, required=True)


class VerifyEmail(Located):
    """verify_email: the token of the mail."""

    token = OpaqueToken(required=True)


class MarkEmailVerified(OfUser):
    """mark_email_verified: by an admin."""

    actor = ActorField()


class IssueVerificationToken(Request):
    """issue_verification_token: for a mail that is about to leave."""

    verification_id = Uuid(required=True)


class OldEmail(Request):
    """old_email: the former address of an account, to which a notice goes."""

    change_id = Uuid(required=True)


# Addresses


class GetAddress(OfUser):
    """get_address, delete_address: one of a user's."""

    address_id = Uuid(required=True)


class NewAddress(PostalAddress):
    default = Boolean()


class AddAddress(OfUser, NewAddress):
    """add_address: the first one is the default unless `default` is false."""


class AddressReplacement(AddressFields):
    """What is as it was stays good, whatever the rules are today."""

    default = Boolean()


class UpdateAddress(GetAddress, AddressReplacement):
    """update_address: the whole address, and whether it is the default if that is to change."""

    version = Id(load_default=None, allow_none=True)


# Passwords


class ChangePassword(OfUser, Located):
    """change_password: another one in place of the present one."""

    current_password = Password(required=True)
    new_password = Password(min=MIN_PASSWORD, required=True)


class ForgotPassword(Located):
    """forgot_password: any text is taken for an address: what is none is nobody's."""

    email = SomeEmail(required=True)


class IssueResetToken(Request):
    """issue_reset_token: for a mail that is about to leave."""

    reset_id = Uuid(required=True)


class ResetPassword(Located):
    """reset_password: the token of the mail."""

    token = OpaqueToken(required=True)
    new_password = Password(min=MIN_PASSWORD, required=True)


# Sessions


class Credentials(Located):
    """verify_credentials: `email` or `username`, one of the two, and the password. What is no
    address or name is nobody's."""

    email = SomeEmail()
    username = SingleLine(max=254)
    password = Password(required=True)

    @validates_schema
    def _has_one_name(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("email" in data) == ("username" in data):
            raise ValidationError("Give either the e-mail address or the user name.", "email")


class Login(Credentials):
    """login: `user_agent` as the client sent it; what is kept is the name of a browser and a
    system."""

    user_agent = String(max=512, load_default=None, allow_none=True)


class RefreshToken(Located):
    """refresh, logout: the session of this token."""

    refresh_token = OpaqueToken(required=True)


class SessionOfUser(OfUser):
    """check_session: whether it goes on; list_sessions: it is the one that asks."""

    session_id = Uuid(load_default=None, allow_none=True)


class SessionIds(Request):
    """ended_sessions: which of these have ended."""

    session_ids = List(Uuid(), max=500, required=True)


class EndSession(OfUser, Located):
    """end_session: one of one's own."""

    session_id = Uuid(required=True)


class EndSessions(OfUser, Located):
    """end_sessions: all of a user's; `but` is the one that goes on."""

    but = Uuid(load_default=None, allow_none=True)
    actor = ActorField()


class RotateKeys(Request):
    """rotate_keys: by an admin."""

    actor = ActorField()


# The second factor


class LoginTotp(Located):
    """login_totp: `code` of the authenticator app, or a recovery code; `challenge` as the fault
    `totp_required` of login has it."""

    challenge = OpaqueToken(required=True)
    code = Code(required=True)
    user_agent = String(max=512, load_default=None, allow_none=True)


class EnrolTotp(OfUser):
    """enrol_totp: a secret for an authenticator app."""

    current_password = Password(required=True)


class ConfirmTotp(OfUser, Located):
    """confirm_totp: a first code, with which the second factor counts."""

    code = Code(required=True)


class TotpProof(ConfirmTotp):
    """disable_totp, renew_recovery_codes: both factors."""

    current_password = Password(required=True)


# The audit trail


class ListAudit(Page):
    """list_audit: entries from `since` on, before `until`. `user_id` is whom it was done to, or
    whose the thing is, `actor_id` who did it."""

    user_id = Uuid(load_default=None, allow_none=True)
    actor_id = Uuid(load_default=None, allow_none=True)
    action = Choice(Action, load_default=None, allow_none=True)
    target = Choice(Target, load_default=None, allow_none=True)
    target_id = SingleLine(max=64, load_default=None, allow_none=True)
    since = Timestamp(load_default=None, allow_none=True)
    until = Timestamp(load_default=None, allow_none=True)
    actor = ActorField()


class ListSignIns(OfUser, Page):
    """list_sign_ins: when somebody has signed in as a user, or tried to."""
