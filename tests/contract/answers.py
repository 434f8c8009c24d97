"""What every call answers: the resources as the REST contract names them, and what more there is.

A new call needs its line here; a new field that is not in its resource fails until it is.
"""

from tests.contract.shapes import (
    boolean,
    code,
    currency,
    facts,
    moment,
    money,
    nullable,
    number,
    one_of,
    text,
    uuid,
)


def page(resource):
    return {"items": [resource], "next": nullable(text)}


SERVICES = (
    "carts", "gateway", "inventory", "notifications", "orders", "payments", "products", "users",
)  # fmt: skip
HEALTH = {"service": text, "status": one_of("ok")}

PAYMENT = {
    "id": uuid,
    "order_id": uuid,
    "user_id": uuid,
    "provider": code,
    "status": one_of(
        "pending", "requires_action", "succeeded", "failed", "partially_refunded", "refunded"
    ),
    "amount": money,
    "refunded": money,
    "currency": currency,
    "action_url": nullable(text),
    "failure_code": nullable(text),
    "test_mode": boolean,
    "created_at": moment,
}

ANSWERS = {
    **{f"{service}.health": HEALTH for service in SERVICES},
    "payments.health": HEALTH | {"test_mode": boolean},
    "users.verify_email": None,
    "users.request_email_verification": None,
    "users.delete_address": None,
    "users.forgot_password": None,
    "users.disable_totp": None,
    "products.delete": None,
    "products.delete_category": None,
    "orders.delete_shipping_zone": None,
    "orders.hide": None,
    "orders.end_tax_rate": None,
    "payments.webhook": None,
}

#: Of a call that was refused: what Nameko's own clients read, and what ours do.
ERROR = {
    "exc_type": text,
    "exc_path": text,
    "exc_args": [text],
    "value": text,
    "status": number,
    "code": code,
    "title": text,
    "detail": text,
    "data": facts,
}
