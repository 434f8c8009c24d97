"""Checkouts under way, for staff."""

from marshmallow import fields, validate

from chassis.fields import Choice, Page, Timestamp, Uuid
from gateway.schemas import common

_UNDER_WAY = ("open", "undoing", "paying")


class CheckoutQuery(Page):
    """Without `state` all that are under way; `stuck` are those that should be over long ago."""

    state = Choice([*_UNDER_WAY, "stuck"])


class Checkout(common.Resource):
    """`due_at`: when it is taken up again; `reason`: why it has not ended yet."""

    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    state = fields.String(required=True, validate=validate.OneOf(_UNDER_WAY))
    since = Timestamp(required=True)
    due_at = Timestamp(required=True)
    attempts = fields.Integer(required=True, allow_none=True, strict=True)
    reason = fields.String(required=True, allow_none=True)


class CheckoutOutcome(common.Resource):
    """`over`: nothing is under way, be it finished, undone or never begun."""

    order_id = Uuid(required=True)
    state = fields.String(required=True, validate=validate.OneOf([*_UNDER_WAY, "over"]))
    order_status = fields.String(required=True, allow_none=True)
    payment_status = fields.String(required=True, allow_none=True)


CheckoutPage = common.page_of(Checkout)
