"""Sessions, and when somebody has signed in."""

from marshmallow import fields

from chassis.fields import Page, Request, Timestamp, Uuid
from gateway.schemas import common


class SessionPath(Request):
    session_id = Uuid(required=True)


class SignInQuery(Page):
    pass


class Session(common.Resource):
    """`network` is where it was last refreshed, without the last part of the address; `client` is
    the browser and system that signed in. `current` is the one that this request belongs to."""

    id = Uuid(required=True)
    created_at = Timestamp(required=True)
    last_used_at = Timestamp(required=True)
    expires_at = Timestamp(required=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)
    current = fields.Boolean(required=True)


class SignIn(common.Resource):
    """One attempt to sign in, whether it `succeeded` or not."""

    at = Timestamp(required=True)
    succeeded = fields.Boolean(required=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)


SessionPage = common.page_of(Session)
SignInPage = common.page_of(SignIn)
