"""Who may do what, over HTTP: every route with every kind of caller."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access import ADMIN, ANYONE, STAFF, USER
from tests.e2e.client import ADDRESS, PASSWORD, Client, filled
from tests.unit.gateway.who import WHO

LETS_IN = {
    ANYONE: {"nobody", "customer", "staff", "admin"},
    USER: {"customer", "staff", "admin"},
    STAFF: {"staff", "admin"},
    ADMIN: {"admin"},
}


@pytest.fixture(scope="module")
def callers(shop):
    """One of each kind."""
    return {
        "nobody": shop.nobody,
        "customer": shop.customer(),
        "staff": shop.employee("staff"),
        "admin": shop.admin,
    }


@pytest.mark.parametrize("route", WHO)
def test_a_route_admits_whom_it_should_and_nobody_else(callers, route):
    """401 for nobody, 403 for the wrong role, something else for the others, never a 5xx."""
    method, template = route.split()
    body = {} if method in ("POST", "PUT", "PATCH") else None
    for kind, caller in callers.items():
        caller.call(method, filled(template), body, expect=None)
        status = caller.answer.status_code
        if kind in LETS_IN[WHO[route]]:
            assert status not in (401, 403), kind
            assert status < 500, kind
        else:
            assert status == (401 if kind == "nobody" else 403), kind


def test_what_is_somebody_elses_is_not_found(shop):
    """Orders, payments, addresses, notifications: as if they were not there."""
    owner, stranger = shop.customer(), shop.customer()
    order = shop.order(owner, shop.product())
    payment = shop.pay(owner, order)
    address = owner.post("/api/users/addresses", ADDRESS, 201)
    note = owner.get("/api/notifications?limit=1")["items"][0]
    method = {"type": "card", "token": "tok_visa"}
    theirs = [
        ("GET", f"/api/orders/{order['id']}", None),
        ("PATCH", f"/api/orders/{order['id']}", {"shipping_address": ADDRESS}),
        ("PUT", f"/api/orders/{order['id']}", {"shipping_address": ADDRESS}),
        ("POST", f"/api/orders/{order['id']}/cancel", {}),
        ("GET", f"/api/orders/{order['id']}/timeline", None),
        ("GET", f"/api/orders/user/{owner.user_id}", None),
        ("GET", f"/api/orders?user_id={owner.user_id}", None),
        ("POST", "/api/payments", {"order_id": order["id"], "method": method}),
        ("GET", f"/api/payments/{payment['id']}", None),
        ("GET", f"/api/users/addresses/{address['id']}", None),
        ("PUT", f"/api/users/addresses/{address['id']}", ADDRESS),
        ("DELETE", f"/api/users/addresses/{address['id']}", None),
        ("GET", f"/api/notifications/{owner.user_id}", None),
        ("PATCH", f"/api/notifications/{note['id']}", {"read": True}),
    ]
    for method, path, body in theirs:
        stranger.call(method, path, body, 404)
    assert stranger.get(f"/api/payments?order_id={order['id']}")["items"] == []
    assert owner.get(f"/api/orders/{order['id']}")["status"] == "processing"


def test_staff_see_what_is_everybodys(shop):
    """Orders, payments and notifications of all customers."""
    owner, staff = shop.customer(), shop.employee("staff")
    order = shop.order(owner, shop.product())
    payment = shop.pay(owner, order)
    assert staff.get(f"/api/orders/{order['id']}")["user_id"] == owner.user_id
    assert staff.get(f"/api/payments/{payment['id']}")["order_id"] == order["id"]
    staff.get(f"/api/payments?order_id={order['id']}")
    staff.get(f"/api/orders/{order['id']}/timeline")
    staff.get(f"/api/notifications/{owner.user_id}")


def parts_of(token):
    """Header and claims of a token, as everybody can read them."""
    return [
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in token.split(".")[:2]
    ]


def forged(token, key="secret", algorithm=None, headers=None, **claims):
    """The token with other claims or headers, signed with `key`."""
    header, payload = parts_of(token)
    header |= headers or {}
    header["alg"] = algorithm or header["alg"]
    return jwt.encode(payload | claims, key, header["alg"], headers=header)


def test_a_token_that_does_not_hold_is_a_401(shop):
    """Whatever is wrong with it, and the answer is the same."""
    token = shop.customer().token
    own_key = Ed25519PrivateKey.generate()
    head, payload, signature = token.split(".")
    tokens = {
        "another key": forged(token, own_key, role="admin"),
        "an unknown key": forged(token, own_key, headers={"kid": "other"}),
        "another's place for keys": forged(token, own_key, headers={"jku": "https://evil.example"}),
        "no algorithm": forged(token, None, "none", role="admin"),
        "a symmetric algorithm": forged(token, "x" * 32, "HS256"),
        "another type": forged(token, own_key, headers={"typ": "JWT"}),
        "no signature": f"{head}.{payload}.",
        "a cut signature": f"{head}.{payload}.{signature[:-4]}",
        "garbage": "garbage",
        "much garbage": "a." * 3000,
        "a refresh token": Client(shop.url).post(
            "/api/users/login",
            {"email": shop.customer().get("/api/users/profile")["email"], "password": PASSWORD},
        )["refresh_token"],
    }
    for kind, wrong in tokens.items():
        problem = Client(shop.url, wrong).get("/api/users/profile", 401)
        assert problem["code"] == "unauthenticated", kind


def test_a_token_on_an_open_route_is_not_looked_at(shop):
    """Who comes to log in again may still send the old one."""
    stale = Client(shop.url, "garbage")
    stale.get("/api/products")
    email = shop.customer().get("/api/users/profile")["email"]
    stale.post("/api/users/login", {"email": email, "password": PASSWORD})


def test_deeper_than_the_door_roles_still_hold(shop):
    """What depends on the body is refused by the service."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    buyer.patch(f"/api/orders/{order['id']}", {"status": "shipped"}, 403)
