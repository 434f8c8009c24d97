"""People: sign-up, sessions, profiles, addresses, administration."""

from marshmallow import ValidationError, fields, validate, validates_schema

from chassis.fields import Id, Page, PostalAddress, Request, Text, Timestamp, Uuid
from chassis.identity import Role
from gateway.schemas import common

_ROLE = validate.OneOf([role.value for role in Role])


class Password(fields.String):
    """As it was typed: neither trimmed nor changed."""

    def __init__(self, **kwargs):
        super().__init__(validate=validate.Length(min=1, max=128), **kwargs)


class SignUp(Request):
    email = Text(max=254, required=True)
    password = Password(required=True)
    username = Text(max=32, allow_none=True)
    first_name = Text(max=100, allow_none=True)
    last_name = Text(max=100, allow_none=True)
    phone = Text(max=32, allow_none=True)
    address = fields.Nested(PostalAddress, allow_none=True)


class Login(Request):
    """`email` or `username`, one of the two, and the password."""

    email = Text(max=254)
    username = Text(max=254)
    password = Password(required=True)

    @validates_schema
    def _has_one_name(self, data, **kwargs):
        if ("email" in data) == ("username" in data):
            raise ValidationError("Give either the e-mail address or the user name.", "email")


class OpaqueToken(fields.String):
    """Short ASCII, whatever it may mean."""

    def __init__(self, **kwargs):
        form = validate.Regexp(r"[\x21-\x7e]{1,512}\Z", error="Not a token.")
        super().__init__(validate=form, metadata={"maxLength": 512}, **kwargs)


class RefreshToken(Request):
    refresh_token = OpaqueToken(required=True)


class PasswordChange(Request):
    current_password = Password(required=True)
    new_password = Password(required=True)


class PasswordForgotten(Request):
    email = Text(max=254, required=True)


class PasswordReset(Request):
    """`token` as the mail has it."""

    token = OpaqueToken(required=True)
    new_password = Password(required=True)


class Profile(Request):
    """PUT empties what is not given, PATCH leaves it. A new `email` needs `current_password`."""

    email = Text(max=254)
    current_password = Password()
    username = Text(max=32, allow_none=True)
    first_name = Text(max=100, allow_none=True)
    last_name = Text(max=100, allow_none=True)
    phone = Text(max=32, allow_none=True)


class Account(Profile):
    """What admins change: the role too, and without anybody's password."""

    class Meta(Profile.Meta):
        exclude = ("current_password",)

    role = fields.String(validate=_ROLE)


class NewAccount(SignUp):
    role = fields.String(validate=_ROLE)


class UserQuery(Page):
    search = Text(max=100)
    role = fields.String(validate=_ROLE)


class NewAddress(PostalAddress):
    default = fields.Boolean(truthy={True}, falsy={False})


class AddressPath(Request):
    address_id = Uuid(required=True)


class User(common.Resource):
    id = Uuid(required=True)
    email = fields.String(required=True)
    username = fields.String(required=True, allow_none=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    role = fields.String(required=True, validate=_ROLE)
    version = Id(required=True)
    created_at = Timestamp(required=True)


class Tokens(common.Resource):
    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(required=True, strict=True)


class Address(common.Resource):
    id = Uuid(required=True)
    line1 = fields.String(required=True)
    line2 = fields.String(required=True, allow_none=True)
    city = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True)
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
