"""What every call answers: the resources as the REST contract names them, and what more there is.

A new call needs its line here; a new field that is not in its resource fails until it is.
"""

from tests.contract.shapes import (
    boolean,
    code,
    count,
    currency,
    facts,
    moment,
    money,
    nullable,
    number,
    number_id,
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

POSTAL_ADDRESS = {
    "name": nullable(text),
    "company": nullable(text),
    "phone": nullable(text),
    "line1": text,
    "line2": nullable(text),
    "city": nullable(text),
    "region": nullable(text),
    "postal_code": nullable(text),
    "country": text,
}

PRODUCT = {
    "id": number_id,
    "sku": text,
    "name": text,
    "description": text,
    "price": money,
    "currency": currency,
    "category_id": nullable(number_id),
    "images": [text],
    "attributes": facts,
    "available": count,
    "created_at": moment,
    "updated_at": moment,
    "version": number_id,
}
CATEGORY = {
    "id": number_id,
    "name": text,
    "slug": text,
    "description": text,
    "parent_id": nullable(number_id),
    "version": number_id,
}
STOCK = {
    "product_id": number_id,
    "on_hand": count,
    "reserved": count,
    "available": count,
    "version": number_id,
}
MOVEMENT = {
    "id": number_id,
    "product_id": number_id,
    "kind": code,
    "delta_on_hand": number,
    "delta_reserved": number,
    "order_id": nullable(uuid),
    "reason": text,
    "actor": nullable(uuid),
    "at": moment,
}
CHECKED = {"product_id": number_id, "quantity": number_id, "available": boolean}
RESERVATION = {"order_id": uuid, "expires_at": nullable(moment)}

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
#: Whether an idempotency key had been used before; the gateway makes it a header.
REPLAYED = {"replayed": boolean}

ANSWERS = {
    **{f"{service}.health": HEALTH for service in SERVICES},
    "payments.health": HEALTH | {"test_mode": boolean},
    "users.verify_email": None,
    "users.request_email_verification": None,
    "users.delete_address": None,
    "users.forgot_password": None,
    "users.disable_totp": None,
    "products.create": PRODUCT,
    "products.get": PRODUCT,
    "products.update": PRODUCT,
    "products.list": page(PRODUCT),
    "products.get_many": {"items": [PRODUCT]},
    "products.delete": None,
    "products.create_category": CATEGORY,
    "products.get_category": CATEGORY,
    "products.update_category": CATEGORY,
    "products.list_categories": {"items": [CATEGORY]},
    "products.delete_category": None,
    "inventory.get": STOCK,
    "inventory.adjust": STOCK,
    "inventory.movements": page(MOVEMENT),
    "inventory.check": {"items": [CHECKED]},
    "inventory.reserve": RESERVATION | {"state": one_of("reserved")},
    "inventory.commit": RESERVATION | {"state": one_of("committed")},
    "inventory.release": RESERVATION | {"state": one_of("released")},
    "orders.hide": None,
    "orders.pay": PAYMENT | REPLAYED,
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
