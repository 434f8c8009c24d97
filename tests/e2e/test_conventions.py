"""What holds for all routes of a kind, each route of that kind called; a new one fails until it is
in here."""

import functools
import types
import uuid

import pytest
import requests

from chassis.fields import Page
from tests.e2e.client import ADDRESS, ROUTES, filled
from tests.support import eventually

BY_NAME = {f"{entry.method} {entry.path}": entry for entry in ROUTES.values()}

LISTS = {
    "GET /api/products": ("nobody", "/api/products"),
    "GET /api/inventory/{variant_id}/movements": ("admin", "/api/inventory/{product}/movements"),
    "GET /api/users": ("admin", "/api/users"),
    "GET /api/users/sign-ins": ("buyer", "/api/users/sign-ins"),
    "GET /api/audit": ("admin", "/api/audit"),
    "GET /api/orders": ("buyer", "/api/orders"),
    "GET /api/orders/user/{user_id}": ("buyer", "/api/orders/user/{user}"),
    "GET /api/orders/{order_id}/fulfilments": ("buyer", "/api/orders/{sent}/fulfilments"),
    "GET /api/payments": ("buyer", "/api/payments?order_id={order}"),
    "GET /api/notifications": ("buyer", "/api/notifications"),
    "GET /api/notifications/{id}": ("buyer", "/api/notifications/{user}"),
    "GET /api/admin/checkouts": ("admin", "/api/admin/checkouts"),
    "GET /api/shipping-zones": ("admin", "/api/shipping-zones"),
    "GET /api/shipping-methods": ("admin", "/api/shipping-methods"),
    "GET /api/tax-rates": ("admin", "/api/tax-rates"),
    "GET /api/transfers": ("admin", "/api/transfers"),
}
#: Two names of one list, whose cursors may be mixed.
SAME = [
    {"GET /api/orders", "GET /api/orders/user/{user_id}"},
    {"GET /api/notifications", "GET /api/notifications/{id}"},
]

SINGLE = {
    "GET /api/products/{product_id}": ("nobody", "/api/products/{product}"),
    "GET /api/variants/{variant_id}": ("nobody", "/api/variants/{product}"),
    "GET /api/categories/{category_id}": ("nobody", "/api/categories/{category}"),
    "GET /api/inventory/{variant_id}": ("admin", "/api/inventory/{product}"),
    "GET /api/orders/{order_id}": ("buyer", "/api/orders/{order}"),
    "GET /api/fulfilments/{fulfilment_id}": ("buyer", "/api/fulfilments/{fulfilment}"),
    "GET /api/payments/{payment_id}": ("buyer", "/api/payments/{payment}"),
    "GET /api/shipping-zones/{zone_id}": ("admin", "/api/shipping-zones/{zone}"),
    "GET /api/shipping-methods/{method_id}": ("admin", "/api/shipping-methods/{shipping_method}"),
    "GET /api/locations/{code}": ("admin", "/api/locations/{location}"),
    "GET /api/transfers/{transfer_id}": ("admin", "/api/transfers/{transfer}"),
    "GET /api/users/profile": ("buyer", "/api/users/profile"),
    "GET /api/users/{user_id}": ("admin", "/api/users/{user}"),
    "GET /api/users/addresses/{address_id}": ("buyer", "/api/users/addresses/{address}"),
    "GET /api/openapi.json": ("nobody", "/api/openapi.json"),
    "GET /api/docs": ("nobody", "/api/docs"),
    "GET /api/docs/{file}": ("nobody", "/api/docs/docs.css"),
}

#: Where to read what is written, and two bodies that can be written in turn.
WRITTEN = {
    "PUT /api/products/{product_id}": [{"name": n, "price": "10.00"} for n in "ab"],
    "PATCH /api/products/{product_id}": [{"description": n} for n in "ab"],
    "PATCH /api/variants/{variant_id}": [{"weight_g": n} for n in (1, 2)],
    "PATCH /api/products/{product_id}/options/{option_id}": [{"name": n} for n in "ab"],
    "PUT /api/categories/{category_id}": [{"name": f"{uuid.uuid4()}"} for _ in "ab"],
    "PATCH /api/inventory/{variant_id}": [{"delta": 1, "reason": n} for n in "ab"],
    "PUT /api/orders/{order_id}": [{"shipping_address": ADDRESS | {"city": n}} for n in "ab"],
    "PATCH /api/orders/{order_id}": [{"shipping_address": ADDRESS | {"city": n}} for n in "cd"],
    "PATCH /api/shipping-zones/{zone_id}": [{"name": uuid.uuid4().hex} for _ in "ab"],
    "PATCH /api/shipping-methods/{method_id}": [{"name": n} for n in "ab"],
    "PATCH /api/fulfilments/{fulfilment_id}": [{"carrier": n} for n in "ab"],
    "PATCH /api/locations/{code}": [{"name": n} for n in "ab"],
    "PUT /api/users/profile": [{"first_name": n} for n in "ab"],
    "PATCH /api/users/profile": [{"last_name": n} for n in "ab"],
    "PUT /api/users/{user_id}": [{"first_name": n} for n in "cd"],
    "PATCH /api/users/{user_id}": [{"last_name": n} for n in "cd"],
    "PUT /api/users/addresses/{address_id}": [ADDRESS | {"city": n} for n in "ab"],
}
#: What is a part of something else and has its tag: where that is read.
PARTS = {"/api/products/{product_id}/options/{option_id}": "/api/products/{product_id}"}
#: Changes of what has no tag: a cart is added to by several at once, a message is read or not.
UNTAGGED = {
    "PUT /api/carts/address",
    "PUT /api/carts/update_quantity",
    "PATCH /api/notifications/{id}",
}


@pytest.fixture(scope="module")
def world(shop):
    """Somebody with two of everything: `.buyer`, `.admin`, `.nobody`, and `.at(path)`."""
    options = [{"name": "Size", "values": ["S", "M"]}]
    buyer, product = shop.customer(address=ADDRESS), shop.product(stock=50, options=options)
    shop.product()
    order = shop.order(buyer, product)
    shop.pay(buyer, order, "tok_declined")
    payment = shop.pay(buyer, order)
    for _ in range(2):  # under way until the bank has asked the buyer
        shop.pay(buyer, pending := shop.order(buyer, product), "tok_3ds")
    shop.pay(buyer, sent := shop.order(buyer, product, quantity=2))
    part, path = {"items": [{"line": 1, "quantity": 1}]}, f"/api/orders/{sent['id']}/fulfilments"
    parcel, _ = (shop.admin.post(path, part, 201) for _ in range(2))
    category = shop.admin.post("/api/categories", {"name": uuid.uuid4().hex}, 201)
    for percent in "12":  # where nobody orders from
        rate = {"country": "AQ", "tax_class": uuid.uuid4().hex, "rate": percent, "label": "Ice"}
        shop.admin.post("/api/tax-rates", rate, 201)
    for number, country in enumerate(("AQ", "BV")):
        zone = {"name": country, "members": [{"country": country}]}
        zone_id = shop.admin.post("/api/shipping-zones", zone, 201)["id"]
        method = {"zone_id": zone_id, "code": "sled", "name": "Sled", "price": f"{number}.00"}
        sled = shop.admin.post("/api/shipping-methods", method | {"active": False}, 201)
    location = shop.admin.post("/api/locations", {"code": "ICE", "name": "Ice"}, 201)
    units = [{"variant_id": product["id"], "quantity": 1}]
    for _ in range(2):
        sending = {"from": "MAIN", "to": location["code"], "items": units}
        transfer = shop.admin.post("/api/transfers", sending, 201)
    eventually(lambda: len(buyer.get("/api/notifications")["items"]) > 3)
    ids = {
        "product": product["id"],
        "option": product["options"][0]["id"],
        "order": order["id"],
        "pending": pending["id"],
        "zone": zone_id,
        "shipping_method": sled["id"],
        "sent": sent["id"],
        "fulfilment": parcel["id"],
        "payment": payment["id"],
        "location": location["code"],
        "transfer": transfer["id"],
        "category": category["id"],
        "user": buyer.user_id,
        "address": buyer.get("/api/users/addresses")["items"][0]["id"],
    }
    buyer.log_in(buyer.get("/api/users/profile")["email"])
    people = {"buyer": buyer, "admin": shop.admin, "nobody": shop.nobody}
    return types.SimpleNamespace(**people, at=lambda path: path.format(**ids), url=shop.url)


@functools.cache
def with_limit(path, **query):
    joined = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{path}{'&' if '?' in path else '?'}{joined}"


def test_every_route_of_a_kind_is_here():
    """Lists, single resources, and changes of these."""
    entries = BY_NAME.items()
    assert set(LISTS) == {n for n, e in entries if e.query and issubclass(e.query, Page)}
    tagged = {name for name, entry in entries if entry.etag}
    assert set(SINGLE) == {name for name in tagged if name.startswith("GET")}
    changes = {name for name, _ in entries if name.startswith(("PUT", "PATCH"))}
    assert set(WRITTEN) == changes & tagged == changes - UNTAGGED


@pytest.mark.parametrize("name", LISTS)
def test_a_list_comes_in_pages(world, name):
    """1 to 100 rows, 20 unless asked for; each row once; `Link` and `next` lead to the next."""
    who, path = LISTS[name]
    person, path = getattr(world, who), world.at(path)
    for wrong in ("0", "101", "-1", "x", "1.5", ""):
        assert "limit" in person.get(with_limit(path, limit=wrong), 422)["errors"]
    everything = person.pages(with_limit(path, limit=100))
    assert len(everything) >= 2
    assert len(person.get(path)["items"]) == min(20, len(everything))
    first = person.get(with_limit(path, limit=1))
    assert len(first["items"]) == 1
    link = person.answer.links["next"]
    assert link["rel"] == "next"
    assert first["next"] in link["url"]
    second = person.get(link["url"])["items"]
    assert second != first["items"]
    assert second == person.get(with_limit(path, limit=1, cursor=first["next"]))["items"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_no_cursor_of_another(world, name):
    """422, although it may be sorted by the same kinds of key."""
    who, path = LISTS[name]
    person, path = getattr(world, who), world.at(path)
    for other, (whose, where) in LISTS.items():
        if other == name or {other, name} in SAME:
            continue
        cursor = getattr(world, whose).get(with_limit(world.at(where), limit=1))["next"]
        assert cursor, other
        assert "cursor" in person.get(with_limit(path, cursor=cursor), 422)["errors"], other


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_resource_is_sent_once(world, name):
    """Its tag is a 304, weak or among others too; another tag, or none, is all of it. What only
    some may see is stored nowhere on the way."""
    who, path = SINGLE[name]
    url = world.url + world.at(path)
    token = getattr(world, who).token
    signed = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(url, headers=signed, timeout=10)
    tag = answer.headers["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = requests.get(url, headers=signed | {"If-None-Match": known}, timeout=10)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    other = requests.get(url, headers=signed | {"If-None-Match": '"x"'}, timeout=10)
    assert (other.status_code, other.content) == (200, answer.content)
    assert ("no-store" if token else "no-cache") in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", WRITTEN)
def test_who_has_not_seen_the_last_change_makes_none(world, name):
    """412 under the tag from before it; under the tag of now, `*` or none it is made."""
    method, template = name.split()
    who, path = SINGLE[f"GET {PARTS.get(template, template)}"]
    read = world.at(path.replace("{order}", "{pending}"))
    path = world.at("/api/products/{product}/options/{option}") if template in PARTS else read
    privileged = {who, BY_NAME[name].who.name.lower()} & {"staff", "admin"}
    person = world.admin if privileged else world.buyer
    one, two = WRITTEN[name]
    person.get(read)
    stale = {"If-Match": person.answer.headers["ETag"]}
    person.call(method, path, one, headers=stale)
    current = {"If-Match": person.answer.headers["ETag"]}
    refused = person.call(method, path, two, 412, headers=stale)
    assert refused["code"] == "precondition_failed"
    assert current["If-Match"] != stale["If-Match"]
    person.call(method, path, two, headers=current)
    person.call(method, path, one, headers={"If-Match": "*"})


@pytest.mark.parametrize("name", BY_NAME)
def test_a_trailing_slash_makes_no_difference(shop, name):
    """The same status for the same request, with and without it."""
    method, template = name.split()
    path, body = filled(template), {} if BY_NAME[name].body else None
    seen = []
    for one in (path, path + "/"):
        shop.admin.call(method, one, body, expect=None)
        seen.append(shop.admin.answer.status_code)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name", [name for name, entry in BY_NAME.items() if entry.body])
def test_a_body_is_json_of_a_known_and_bounded_length(shop, name):
    """415 for another type, 400 for what is no JSON, 413 for too much, 422 for an empty one."""
    method, template = name.split()
    send = functools.partial(requests.request, method, shop.url + filled(template), timeout=10)
    signed = {"Authorization": f"Bearer {shop.admin.token}"}
    typed = signed | {"Content-Type": "application/json"}
    seen = [
        send(headers=signed | {"Content-Type": "text/plain"}, data=b"{}").status_code,
        send(headers=typed, data=b"{").status_code,
        send(headers=typed, data=b" " * 300_000).status_code,
    ]
    assert seen == [415, 400, 413]
    if BY_NAME[name].needs_body:
        assert send(headers=typed).status_code == 422
