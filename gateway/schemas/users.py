"""People: sign-up, sessions, profiles, addresses, administration."""

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from chassis.fields import (
    AddressFields,
    Boolean,
    Choice,
    Id,
    Page,
    PhoneNumber,
    PostalAddress,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from chassis.identity import Role
from gateway.schemas import common

_ROLES = [role.value for role in Role]


class Password(String):
    """As it was typed: neither trimmed nor changed."""

    def __init__(self, *, min=1, **kwargs):
        super().__init__(min=min, max=128, **kwargs)


class SignUp(Request):
    email = SingleLine(max=254, required=True)
    password = Password(required=True)
    username = SingleLine(max=32, allow_none=True)
    first_name = SingleLine(max=100, allow_none=True)
    last_name = SingleLine(max=100, allow_none=True)
    phone = PhoneNumber(allow_none=True)
    address = fields.Nested(PostalAddress, allow_none=True)


class Login(Request):
    """`email` or `username`, one of the two, and the password."""

    email = SingleLine(max=254)
    username = SingleLine(max=254)
    password = Password(required=True)

    @validates_schema
    def _has_one_name(self, data, **kwargs):
        if ("email" in data) == ("username" in data):
            raise ValidationError("Give either the e-mail address or the user name.", "email")


class OpaqueToken(String):
    """Short ASCII, whatever it may mean."""

    def __init__(self, **kwargs):
        form = validate.Regexp(r"[\x21-\x7e]{1,512}\Z", error="Not a token.")
        super().__init__(max=512, validate=form, **kwargs)


class RefreshToken(Request):
    refresh_token = OpaqueToken(required=True)


class PasswordChange(Request):
    current_password = Password(required=True)
    new_password = Password(required=True)


class PasswordForgotten(Request):
    email = SingleLine(max=254, required=True)


class EmailConfirmation(Request):
    """`token` as the mail has it."""

    token = OpaqueToken(required=True)


class PasswordReset(Request):
    """`token` as the mail has it."""

    token = OpaqueToken(required=True)
    new_password = Password(required=True)


class Profile(Request):
    """PUT empties what is not given, PATCH leaves it. Another `email`, `username` or `phone` needs
    `current_password`. Another `email` waits in `pending_email` until it is confirmed; the present
    one gives that up."""

    email = SingleLine(max=254)
    current_password = Password(min=0)
    username = SingleLine(max=32, allow_none=True)
    first_name = SingleLine(max=100, allow_none=True)
    last_name = SingleLine(max=100, allow_none=True)
    phone = PhoneNumber(allow_none=True)

    @post_load
    def _without_empty_password(self, data, **kwargs):
        """A form sends it empty where nobody has typed it."""
        if data.get("current_password") == "":
            del data["current_password"]
        return data


class Account(Profile):
    """What admins change: the role too, and without anybody's password."""

    class Meta(Profile.Meta):
        exclude = ("current_password",)

    role = Choice(_ROLES)


class NewAccount(SignUp):
    """`email_verified` when you answer for the address: then nobody is asked to confirm it."""

    role = Choice(_ROLES)
    email_verified = Boolean()


class UserQuery(Page):
    search = Text(
        max=100,
        metadata={
            "description": "Words, each a part of the name, user name, e-mail address or phone"
            " number, without regard to accents and capitals."
        },
    )
    role = Choice(_ROLES)


class NewAddress(PostalAddress):
    default = Boolean()


class AddressReplacement(AddressFields):
    """What is as it was stays good, whatever the rules are today."""

    default = Boolean()


class AddressPath(Request):
    address_id = Uuid(required=True)


class User(common.Resource):
    id = Uuid(required=True)
    email = fields.String(required=True)
    email_verified = fields.Boolean(required=True)
    pending_email = fields.String(required=True, allow_none=True)
    username = fields.String(required=True, allow_none=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    role = Choice(_ROLES, required=True)
    version = Id(required=True)
    created_at = Timestamp(required=True)


class Tokens(common.Resource):
    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(required=True, strict=True)


class Address(common.Resource):
    id = Uuid(required=True)
    name = fields.String(required=True, allow_none=True)
    company = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    line1 = fields.String(required=True)
    line2 = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    country = fields.String(required=True)
    default = fields.Boolean(required=True)
    version = Id(required=True)


class Key(common.Resource):
    """A public key as in RFC 7517 and RFC 8037."""

    kty = fields.String(required=True)
    crv = fields.String(required=True)
    x = fields.String(required=True)
    kid = fields.String(required=True)
    use = fields.String(required=True)
    alg = fields.String(required=True)


class JsonWebKeys(common.Resource):
    keys = fields.List(fields.Nested(Key), required=True)


UserPage = common.page_of(User)
AddressPage = common.page_of(Address)
