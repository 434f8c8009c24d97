"""Who may do what, over HTTP: every route with every kind of caller."""

import base64
import datetime
import json
import uuid

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.identity import Actor, Role, Signer
from gateway.access import ADMIN, ANYONE, ENROLLING, STAFF, USER
from tests.e2e.client import ADDRESS, PASSWORD, Client, filled
from tests.e2e.description import ROUTES
from tests.support import eventually
from tests.unit.gateway.expected import WHO
from users.sessions import signing_keys

#: Whom a route lets in: by an account that is there, and by a token that once was worth something.
#: What a customer's token says is believed until it expires or its session has ended; that of staff
#: is looked up each time.
LETS_IN = {
    ANYONE: {
        *("nobody", "customer", "staff", "admin"),
        *("deleted customer", "deleted admin", "demoted admin", "promoted customer"),
        *("expired token", "wrong kid", "alg none", "refresh token"),
    },
    USER: {"customer", "staff", "admin", "demoted admin", "promoted customer"},
    ENROLLING: {"customer", "staff", "admin", "demoted admin", "promoted customer"},
    STAFF: {"staff", "admin", "promoted customer"},
    ADMIN: {"admin", "promoted customer"},
}
#: Routes that take a body; the others refuse one before they ask who sent it.
WITH_BODY = {f"{entry.method} {entry.path}" for entry in ROUTES.values() if entry.body}
#: Who is known but has not the role; the others are not known.
FORBIDDEN = {"customer", "staff", "demoted admin"}


@pytest.fixture(scope="module")
def callers(shop):
    """One of each kind."""
    deleted, deleted_admin = shop.customer(), shop.employee("admin")
    demoted, promoted = shop.employee("admin"), shop.customer()
    for gone in (deleted, deleted_admin):
        shop.admin.delete(f"/api/users/{gone.user_id}")
    shop.admin.patch(f"/api/users/{demoted.user_id}", {"role": "customer"})
    shop.admin.patch(f"/api/users/{promoted.user_id}", {"role": "admin"})
    admin = shop.employee("admin")
    email = admin.get("/api/users/profile")["email"]
    refresh_token = Client(shop.url).log_in(email)["refresh_token"]
    return {
        "nobody": shop.nobody,
        "customer": shop.customer(),
        "staff": shop.employee("staff"),
        "admin": shop.admin,
        "deleted customer": deleted,
        "deleted admin": deleted_admin,
        "demoted admin": demoted,
        "promoted customer": promoted,
        "expired token": Client(shop.url, signed(shop, admin, age=datetime.timedelta(hours=1))),
        "wrong kid": Client(shop.url, signed(shop, admin, kid="other")),
        "alg none": Client(shop.url, forged(admin.token, None, "none")),
        "refresh token": Client(shop.url, refresh_token),
    }


def signed(shop, admin, age=datetime.timedelta(0), kid=None):
    """A token of the true key, as it was issued `age` ago."""
    engine = sa.create_engine(configuration.database_url(shop.config, "users"))
    with Session(engine) as session:
        now = utcnow()
        true_kid, key = signing_keys.active(session, now)
    engine.dispose()
    lifetime = datetime.timedelta(minutes=15)
    signer = Signer(key, kid or true_kid, lifetime=lifetime, **shop.config["identity"])
    return signer.sign(Actor(uuid.UUID(admin.user_id), Role.ADMIN), now - age)


@pytest.mark.parametrize("route", WHO)
def test_a_route_admits_whom_it_should_and_nobody_else(callers, route):
    """401 for who is not known, 403 for the wrong role, else something else, never a 5xx."""
    method, template = route.split()
    body = {} if route in WITH_BODY else None
    for kind, caller in callers.items():
        caller.call(method, filled(template), body, expect=None)
        status = caller.answer.status_code
        if kind in LETS_IN[WHO[route]]:
            assert status not in (401, 403), kind
            assert status < 500, kind
        else:
            assert status == (403 if kind in FORBIDDEN else 401), kind


#: Routes to what belongs to somebody: those for users that name a thing in their path.
OWNED = [route for route, who in WHO.items() if who is USER and "{" in route]

BODIES = {
    "PATCH /api/orders/{order_id}": {"shipping_address": ADDRESS},
    "PUT /api/orders/{order_id}": {"shipping_address": ADDRESS},
    "POST /api/orders/{order_id}/cancel": {},
    "PUT /api/users/addresses/{address_id}": ADDRESS,
    "PATCH /api/notifications/{id}": {"read": True},
}


@pytest.mark.parametrize("route", OWNED)
def test_what_is_somebody_elses_is_not_found(shop, route):
    """Orders, payments, addresses, notifications: as if they were not there; its owner has it."""
    owner, stranger = shop.customer(), shop.customer()
    order = shop.order(owner, shop.product())
    method, path = route.split()
    if "{payment_id}" in path:
        path = path.replace("{payment_id}", shop.pay(owner, order)["id"])
    if "{fulfilment_id}" in path:
        shop.pay(owner, order)
        parcel = f"/api/orders/{order['id']}/fulfilments"
        sent = shop.employee("staff").post(parcel, {}, 201)
        path = path.replace("{fulfilment_id}", sent["id"])
    if "{address_id}" in path:
        address = owner.post("/api/users/addresses", ADDRESS, 201)
        path = path.replace("{address_id}", address["id"])
    if "{session_id}" in path:
        path = path.replace("{session_id}", owner.get("/api/users/sessions")["items"][0]["id"])
    if "{id}" in path:  # of a notification, or of whose they are
        path = path.replace("{id}", owner.user_id if method == "GET" else first_note(owner)["id"])
    path = path.replace("{order_id}", order["id"]).replace("{user_id}", owner.user_id)
    assert "{" not in path

    stranger.call(method, path, BODIES.get(route), 404)
    owner.call(method, path, BODIES.get(route), expect=None)
    assert owner.answer.status_code < 300


def first_note(owner):
    """What the shop told somebody, as soon as it has."""
    return eventually(lambda: owner.get("/api/notifications?limit=1")["items"])[0]


def test_what_is_somebody_elses_cannot_be_asked_for_or_paid(shop):
    """Named in a query or a body it is not found either."""
    owner, stranger = shop.customer(), shop.customer()
    order = shop.order(owner, shop.product())
    shop.pay(owner, order)
    method = {"type": "card", "token": "tok_visa"}
    stranger.get(f"/api/orders?user_id={owner.user_id}", 404)
    stranger.post("/api/payments", {"order_id": order["id"], "method": method}, 404)
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
