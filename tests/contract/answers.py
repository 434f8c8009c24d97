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

USER = {
    "id": uuid,
    "email": text,
    "email_verified": boolean,
    "pending_email": nullable(text),
    "username": nullable(text),
    "first_name": nullable(text),
    "last_name": nullable(text),
    "phone": nullable(text),
    "role": one_of("customer", "staff", "admin"),
    "version": count,
    "created_at": moment,
}
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
ADDRESS = POSTAL_ADDRESS | {"id": uuid, "default": boolean, "version": count}
TOKENS = {
    "access_token": text,
    "refresh_token": text,
    "token_type": one_of("Bearer"),
    "expires_in": count,
}
#: The public half of a key (RFC 8037); `d` would be the private one.
KEY = {
    "kty": one_of("OKP"),
    "crv": one_of("Ed25519"),
    "x": text,
    "kid": text,
    "use": one_of("sig"),
    "alg": one_of("EdDSA"),
}


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

#: Sessions that a call has ended.
ENDED = {"ended": [uuid]}
SESSION = {
    "id": uuid,
    "created_at": moment,
    "last_used_at": moment,
    "expires_at": moment,
    "network": nullable(text),
    "client": nullable(text),
    "current": boolean,
}
SIGN_IN = {
    "at": moment,
    "succeeded": boolean,
    "network": nullable(text),
    "client": nullable(text),
}
AUDIT_ENTRY = {
    "id": number_id,
    "at": moment,
    "action": code,
    "user_id": nullable(uuid),
    "actor_id": nullable(uuid),
    "actor_role": nullable(one_of("system", "customer", "staff", "admin")),
    "network": nullable(text),
    "client": nullable(text),
    "request_id": nullable(text),
    "target": nullable(code),
    "target_id": nullable(text),
    "detail": facts,
}

ANSWERS = {
    **{f"{service}.health": HEALTH for service in SERVICES},
    "payments.health": HEALTH | {"test_mode": boolean},
    **{f"users.{method}": USER for method in ("create", "get", "set_role", "sign_up", "update")},
    "users.verify_credentials": USER,
    "users.contacts": {
        "items": [
            {
                "id": uuid,
                "email": nullable(text),
                "email_verified": boolean,
                "phone": nullable(text),
            }
        ]
    },
    "users.list": page(USER),
    "users.find": {"items": [{"id": uuid}]},
    "users.delete": ENDED,
    "users.check_session": {"role": USER["role"], "must_enrol": boolean},
    "users.login_totp": TOKENS,
    "users.get_totp": {"enabled": boolean, "required": boolean, "recovery_codes_left": count},
    "users.enrol_totp": {"secret": text, "uri": text},
    "users.confirm_totp": {"recovery_codes": [text]},
    "users.disable_totp": None,
    "users.renew_recovery_codes": {"recovery_codes": [text]},
    "users.reset_totp": ENDED,
    "users.ended_sessions": ENDED,
    "users.list_sessions": page(SESSION),
    "users.end_session": ENDED,
    "users.end_sessions": ENDED,
    "users.list_audit": page(AUDIT_ENTRY),
    "users.list_sign_ins": page(SIGN_IN),
    "users.login": TOKENS,
    "users.refresh": TOKENS,
    "users.logout": ENDED,
    "users.change_password": ENDED,
    "users.forgot_password": None,
    "users.issue_reset_token": {"token": text, "email": text, "holds": count},
    "users.verify_email": None,
    "users.request_email_verification": None,
    "users.issue_verification_token": {"token": text, "email": text},
    "users.old_email": {"email": text},
    "users.mark_email_verified": USER,
    "users.reset_password": ENDED,
    "users.rotate_keys": {"kid": text},
    "users.jwks": {"keys": [KEY]},
    "users.add_address": ADDRESS,
    "users.get_address": ADDRESS,
    "users.update_address": ADDRESS,
    "users.default_address": ADDRESS,
    "users.list_addresses": page(ADDRESS),
    "users.delete_address": None,
    "products.delete": None,
    "products.delete_category": None,
    "orders.hide": None,
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
