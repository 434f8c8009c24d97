"""The audit trail."""

from marshmallow import fields

from chassis.fields import Choice, Id, Page, SingleLine, Timestamp, Uuid
from gateway.schemas import common

#: What can be done, as `users` writes it.
ACTIONS = (
    "account_changed", "email_changed", "email_verified", "password_changed", "password_reset",
    "recovery_codes_renewed", "refresh_token_reused", "role_changed", "sessions_ended",
    "sign_in_failed", "signed_in", "signed_out", "signing_keys_rotated", "totp_disabled",
    "totp_enabled", "totp_reset", "user_created", "user_deleted", "user_registered",
    # By staff, in the other services.
    "category_changed", "category_created", "category_deleted", "checkout_retried",
    "checkout_undone", "message_sent", "order_address_changed", "order_cancelled",
    "order_delivered", "order_hidden", "order_shipped", "product_changed", "product_created",
    "product_deleted", "refund_requested", "stock_adjusted",
)  # fmt: skip
#: The things that it can be done to, accounts apart.
TARGETS = ("category", "notification", "order", "payment", "product")


class AuditQuery(Page):
    """`user_id` is whom it was done to, or whose the thing is, `actor_id` who did it."""

    user_id = Uuid()
    actor_id = Uuid()
    action = Choice(ACTIONS)
    target = Choice(TARGETS)
    target_id = SingleLine(max=64)
    from_ = Timestamp(data_key="from", attribute="since")
    to = Timestamp(attribute="until")


class AuditEntry(common.Resource):
    """`actor_role` is `system` for operators, and null where nobody knows who it was."""

    id = Id(required=True)
    at = Timestamp(required=True)
    action = fields.String(required=True)
    user_id = Uuid(required=True, allow_none=True)
    actor_id = Uuid(required=True, allow_none=True)
    actor_role = fields.String(required=True, allow_none=True)
    network = fields.String(required=True, allow_none=True)
    client = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    target = fields.String(required=True, allow_none=True)
    target_id = fields.String(required=True, allow_none=True)
    detail = fields.Dict(required=True)


AuditPage = common.page_of(AuditEntry)
