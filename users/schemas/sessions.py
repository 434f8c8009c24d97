"""Sessions: signing in, tokens, and what ends them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from chassis.fields import ActorField, Request, SingleLine, String, Timestamp, Uuid
from chassis.fields import List as ListOf
from users.fields import OpaqueToken, Password, SomeEmail
from users.schemas.common import Get, Located


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


class Token(Located):
    refresh_token = OpaqueToken(required=True)


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


class RotateKeys(Request):
    actor = ActorField()


class SessionState(Schema):
    """A session that goes on: what its user may do at this moment; nothing but enrol in a second
    factor when he `must_enrol`."""

    role = fields.String()
    must_enrol = fields.Boolean()


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


class Tokens(Schema):
    """By RFC 6749; `expires_in` is the access token's life in seconds."""

    access_token = fields.String()
    refresh_token = fields.String()
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer()
