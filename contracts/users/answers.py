"""What users answers. Nothing that is not here, such as a hash, leaves the service."""

from marshmallow import fields, validate

from chassis.fields import (
    Answer,
    Boolean,
    Choice,
    Id,
    Integer,
    String,
    Timestamp,
    Uuid,
    items_of,
    page_of,
)
from chassis.identity import Actor, Role
from contracts.users.enums import Action, Target


class User(Answer):
    id = Uuid(required=True)
    email = fields.String(required=True)
    email_verified = fields.Boolean(required=True)
    pending_email = fields.String(required=True, allow_none=True)
    username = fields.String(required=True, allow_none=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    role = Choice(Role, required=True)
    version = Id(required=True)
    created_at = Timestamp(required=True)


class UserId(Answer):
    id = Uuid(required=True)


class Contact(Answer):
    """Where to reach a user; nothing else. `email` is None until it is confirmed."""

    id = Uuid(required=True)
    email = String(max=254, load_default=None, allow_none=True)
    email_verified = Boolean(load_default=None, allow_none=True)
    phone = String(max=64, load_default=None, allow_none=True)


class AddressFields(Answer):
    """What stands on a parcel, in the address book and in orders."""

    name = fields.String(required=True, allow_none=True)
    company = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    line1 = fields.String(required=True)
    line2 = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    country = fields.String(required=True)


class Address(AddressFields):
    id = Uuid(required=True)
    default = fields.Boolean(required=True, attribute="is_default")
    version = Id(required=True)


class DefaultAddress(Address):
    """The user's own name is that of the recipient where the address has none. Older versions know
    no recipients."""

    name = fields.String(load_default=None, allow_none=True)
    company = fields.String(load_default=None, allow_none=True)
    phone = fields.String(load_default=None, allow_none=True)


class Session(Answer):
    """`network` is where it was last refreshed, without the last part of the address; `client` is
    the browser and system that signed in. `current` is the one that this request belongs to."""

    id = Uuid(required=True)
    created_at = Timestamp(required=True)
    last_used_at = Timestamp(required=True)
    expires_at = Timestamp(required=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)
    current = fields.Boolean(required=True)


class SignIn(Answer):
    """One attempt to sign in, whether it `succeeded` or not."""

    at = Timestamp(required=True)
    succeeded = fields.Boolean(required=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)


class AuditEntry(Answer):
    """`actor_role` is `system` for operators, and null where nobody knows who it was."""

    id = Id(required=True)
    at = Timestamp(required=True)
    action = Choice(Action, required=True)
    user_id = Uuid(required=True, allow_none=True)
    actor_id = Uuid(required=True, allow_none=True)
    actor_role = Choice([*Role, Actor.SYSTEM.role], required=True, allow_none=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    target = Choice(Target, required=True, allow_none=True)
    target_id = fields.String(required=True, allow_none=True)
    detail = fields.Dict(required=True)


UserPage, UserIds, Contacts = page_of(User), items_of(UserId), items_of(Contact)
AddressPage, SessionPage = page_of(Address), page_of(Session)
SignInPage, AuditPage = page_of(SignIn), page_of(AuditEntry)


class Tokens(Answer):
    """By RFC 6749; `expires_in` is the access token's life in seconds."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(required=True, strict=True)


class Key(Answer):
    """A public key as in RFC 7517 and RFC 8037."""

    kty = fields.String(required=True)
    crv = fields.String(required=True)
    x = fields.String(required=True)
    kid = fields.String(required=True)
    use = fields.String(required=True)
    alg = fields.String(required=True)


class JsonWebKeys(Answer):
    keys = fields.List(fields.Nested(Key), required=True)


class KeyId(Answer):
    """The key that signs from now on."""

    kid = fields.String(required=True)


class SessionState(Answer):
    """A session that goes on: what its user may do at this moment; nothing but enrol in a second
    factor when `must_enrol`."""

    role = Choice(Role, required=True)
    must_enrol = fields.Boolean(load_default=False)


class Ended(Answer):
    """The ids of sessions that have just ended, for those who remember them as going on."""

    ended = fields.List(Uuid(), load_default=list)


class ResetToken(Answer):
    """For a mail to `email`; the token holds for `holds` seconds."""

    token = String(max=512, required=True)
    email = String(max=254, load_default=None, allow_none=True)
    holds = Integer(min=0, max=86400, load_default=1800)


class VerificationToken(Answer):
    """For a mail to `email`."""

    token = String(max=512, required=True)
    email = String(max=254, required=True)


class OldEmail(Answer):
    email = String(max=254, required=True)


class TotpSecret(Answer):
    """`secret` to type in, `uri` (otpauth) to show as a QR code."""

    secret = fields.String(required=True)
    uri = fields.String(required=True)


class NewRecoveryCodes(Answer):
    recovery_codes = fields.List(fields.String(), required=True)


class TotpState(Answer):
    """`required`: whether your role needs a second factor here."""

    enabled = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    recovery_codes_left = fields.Integer(required=True, strict=True)
