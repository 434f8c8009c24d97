"""Parcels, over HTTP: sent by staff, seen by their buyer."""

import uuid

import eventlet
import pytest

from tests.support import eventually

ONE = {"line": 1, "quantity": 1}


@pytest.fixture(scope="module")
def clerk(shop):
    """Somebody of the staff."""
    return shop.employee("staff")


@pytest.fixture
def buyer(shop):
    """Somebody whose address is confirmed."""
    return shop.customer()


@pytest.fixture
def paid(shop, buyer):
    """`paid(5)`: an order of five of a product, paid."""

    def make(quantity):
        order = shop.order(buyer, shop.product(stock=quantity), quantity=quantity)
        shop.pay(buyer, order)
        return order["id"]

    return make


def send(clerk, order, quantity, expect=201, **more):
    body = {"items": [{"line": 1, "quantity": quantity}]} | more
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return clerk.post(f"/api/orders/{order}/fulfilments", body, expect, headers=headers)


def test_two_clerks_ship_three_of_five(shop, clerk, paid):
    """At once, each with a key of their own: one parcel leaves."""
    order = paid(5)
    body = {"items": [{"line": 1, "quantity": 3}]}

    def ship(somebody):
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return somebody.post(f"/api/orders/{order}/fulfilments", body, None, headers=headers)

    sending = [eventlet.spawn(ship, one) for one in (clerk, shop.employee("staff"))]
    answers = [one.wait() for one in sending]
    assert {answer.get("status") for answer in answers} == {None, 409}
    (refused,) = [answer for answer in answers if answer.get("status") == 409]
    assert refused["code"] == "nothing_left_to_ship"
    assert refused["lines"] == [{"line": 1, "requested": 3, "left": 2}]
    (line,) = clerk.get(f"/api/orders/{order}")["items"]
    assert (line["shipped"], line["cancelled"]) == (3, 0)


def test_a_buyer_follows_the_parcels(clerk, buyer, paid):
    """Each is told once, with what is in it and how to follow it; the order says how far it is."""
    order = paid(3)
    first = send(clerk, order, 2, carrier="DHL", tracking_number="00340434161094042557")
    assert buyer.get(f"/api/orders/{order}")["status"] == "partially_shipped"
    clerk.post(f"/api/orders/{order}/fulfilments", {}, 201)
    assert buyer.get(f"/api/orders/{order}")["status"] == "shipped"
    seen = buyer.get(f"/api/orders/{order}/fulfilments")["items"]
    assert [parcel["items"][0]["quantity"] for parcel in seen] == [2, 1]
    assert buyer.get(f"/api/fulfilments/{first['id']}") == first

    def told():
        feed = buyer.get("/api/notifications?limit=100")["items"]
        return [one for one in feed if "on its way" in one["subject"]]

    eventually(lambda: len(told()) == 4)  # two parcels, by mail and in the feed
    part = next(one for one in told() if one["subject"].startswith("Part of"))
    assert "2 × " in part["body"]
    assert "Tracking number: 00340434161094042557" in part["body"]
    for parcel in seen:
        clerk.patch(f"/api/fulfilments/{parcel['id']}", {"state": "delivered"})
    assert buyer.get(f"/api/orders/{order}")["status"] == "delivered"


def test_a_parcel_that_somebody_has_changed_is_not_overwritten(clerk, paid):
    """The tag of what was looked at goes with the change."""
    parcel = send(clerk, paid(1), 1, state="packing")
    path = f"/api/fulfilments/{parcel['id']}"
    clerk.get(path)
    tag = clerk.answer.headers["ETag"]
    changed = {"carrier": "DHL"}
    clerk.patch(path, changed, headers={"If-Match": tag})
    clerk.patch(path, {"state": "shipped"}, 412, headers={"If-Match": tag})
    assert clerk.get(path)["state"] == "packing"
    assert clerk.post(f"{path}/cancel", None)["state"] == "cancelled"
    clerk.post(f"{path}/cancel", None, 409)


def test_a_wrong_tracking_number_is_removed(clerk, paid):
    """By empty text, as a form sends it, or by null; what is not sent stays."""
    travels = {"tracking_number": "1", "tracking_url": "https://dhl.example/1"}
    parcel = send(clerk, paid(1), 1, carrier="DHL", **travels)
    path = f"/api/fulfilments/{parcel['id']}"
    assert clerk.patch(path, {"tracking_number": ""})["tracking_number"] is None
    assert clerk.patch(path, {"tracking_url": None})["tracking_url"] is None
    assert clerk.get(path)["carrier"] == "DHL"
    clerk.patch(path, {}, 422)


def test_a_repeated_request_is_one_parcel(clerk, paid):
    """And one cancellation; the answer says that it is a repeat."""
    order = paid(4)
    for path, status in (("fulfilments", 201), ("cancel_items", 200)):
        headers, body = {"Idempotency-Key": uuid.uuid4().hex}, {"items": [ONE]}
        whole = f"/api/orders/{order}/{path}"
        clerk.post(whole, body, status, headers=headers)
        clerk.post(whole, body, status, headers=headers)
        assert clerk.answer.headers["Idempotent-Replayed"] == "true"
    (line,) = clerk.get(f"/api/orders/{order}")["items"]
    assert (line["shipped"], line["cancelled"]) == (1, 1)


def test_parcels_are_nobody_elses(shop, clerk, buyer, paid):
    """Buyers see theirs and change nothing; strangers find nothing."""
    order = paid(2)
    parcel = send(clerk, order, 1)
    own, listed = f"/api/fulfilments/{parcel['id']}", f"/api/orders/{order}/fulfilments"
    stranger = shop.customer()
    for path in (own, listed):
        stranger.get(path, 404)
    for somebody in (buyer, stranger):
        somebody.post(listed, {"items": [ONE]}, 403)
        somebody.patch(own, {"state": "delivered"}, 403)
        somebody.post(f"{own}/cancel", None, 403)
        somebody.post(f"/api/orders/{order}/cancel_items", {"items": [ONE]}, 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"line": 2, "quantity": 1}]}, "items"),
        ({"items": [{"line": 1, "quantity": -1}]}, "items.0.quantity"),
        ({"items": [{"line": 1, "quantity": "1"}]}, "items.0.quantity"),
        ({"items": {"line": 1}}, "items"),
        ({"state": "delivered"}, "state"),
        ({"tracking_url": "javascript:alert(1)"}, "tracking_url"),
        ({"tracking_number": "0\n1"}, "tracking_number"),
        ({"carrier": "x" * 101}, "carrier"),
        ({"weight": 1}, "weight"),
    ],
)
def test_bad_parcels_are_refused(clerk, paid, body, field):
    """With what is wrong; nothing has left."""
    order = paid(1)
    problem = clerk.post(f"/api/orders/{order}/fulfilments", body, 422)
    assert set(problem["errors"]) == {field}
    assert clerk.get(f"/api/orders/{order}/fulfilments")["items"] == []
