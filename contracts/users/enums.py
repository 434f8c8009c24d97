"""The words of users; roles are `chassis.identity.Role`."""

from enum import StrEnum


class Action(StrEnum):
    """What an entry of the audit trail is about."""

    USER_REGISTERED = "user_registered"
    USER_CREATED = "user_created"
    USER_DELETED = "user_deleted"
    ACCOUNT_CHANGED = "account_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_VERIFIED = "email_verified"
    ROLE_CHANGED = "role_changed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    TOTP_ENABLED = "totp_enabled"
    TOTP_DISABLED = "totp_disabled"
    TOTP_RESET = "totp_reset"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    SIGNING_KEYS_ROTATED = "signing_keys_rotated"
    # By staff, in other services.
    PRODUCT_CREATED = "product_created"
    PRODUCT_CHANGED = "product_changed"
    PRODUCT_DELETED = "product_deleted"
    CATEGORY_CREATED = "category_created"
    CATEGORY_CHANGED = "category_changed"
    CATEGORY_DELETED = "category_deleted"
    SHIPPING_ZONE_CREATED = "shipping_zone_created"
    SHIPPING_ZONE_CHANGED = "shipping_zone_changed"
    SHIPPING_ZONE_DELETED = "shipping_zone_deleted"
    SHIPPING_METHOD_CREATED = "shipping_method_created"
    SHIPPING_METHOD_CHANGED = "shipping_method_changed"
    STOCK_ADJUSTED = "stock_adjusted"
    STOCK_RELOCATED = "stock_relocated"
    LOCATION_CREATED = "location_created"
    LOCATION_CHANGED = "location_changed"
    TRANSFER_SENT = "transfer_sent"
    TRANSFER_RECEIVED = "transfer_received"
    TRANSFER_CANCELLED = "transfer_cancelled"
    ORDER_ADDRESS_CHANGED = "order_address_changed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_HIDDEN = "order_hidden"
    ORDER_ITEMS_CANCELLED = "order_items_cancelled"
    FULFILMENT_PACKED = "fulfilment_packed"
    FULFILMENT_CHANGED = "fulfilment_changed"
    FULFILMENT_SHIPPED = "fulfilment_shipped"
    FULFILMENT_DELIVERED = "fulfilment_delivered"
    FULFILMENT_CANCELLED = "fulfilment_cancelled"
    # Of before there were parcels.
    ORDER_SHIPPED = "order_shipped"
    ORDER_DELIVERED = "order_delivered"
    CHECKOUT_RETRIED = "checkout_retried"
    CHECKOUT_UNDONE = "checkout_undone"
    REFUND_REQUESTED = "refund_requested"
    MESSAGE_SENT = "message_sent"
    TAX_RATE_CREATED = "tax_rate_created"
    TAX_RATE_ENDED = "tax_rate_ended"


class Target(StrEnum):
    """The things that an entry of the audit trail can be about, accounts apart."""

    CATEGORY = "category"
    LOCATION = "location"
    NOTIFICATION = "notification"
    ORDER = "order"
    PAYMENT = "payment"
    PRODUCT = "product"
    TRANSFER = "transfer"
    TAX_RATE = "tax_rate"
    SHIPPING_METHOD = "shipping_method"
    SHIPPING_ZONE = "shipping_zone"
