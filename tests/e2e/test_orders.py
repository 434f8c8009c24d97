"""From the cart to the delivered mail, over HTTP."""

import uuid

import pytest

from tests.e2e.client import ADDRESS


def mails(shop, subject_or_address):
    return [p for p in shop.outbox.glob("*.eml") if subject_or_address in p.read_text()]


def test_an_order_from_the_cart_to_the_mail(shop, eventually):
    """The main job: cart, order, payment, shipping, notifications, mail, timeline."""
    buyer = shop.customer(address=ADDRESS)
    email = buyer.get("/api/users/profile")["email"]
    chair, lamp = shop.product(), shop.product(name="Lamp", price="2.50", stock=5)
    buyer.post("/api/carts/add_item", {"product_id": chair["id"], "quantity": 1})
    buyer.post("/api/carts/add_item", {"product_id": chair["id"], "quantity": 2})
    buyer.post("/api/carts/add_item", {"product_id": lamp["id"], "quantity": 3})
    buyer.put("/api/carts/update_quantity", {"product_id": lamp["id"], "quantity": 2})
    assert buyer.get("/api/carts")["total"] == "35.00"

    order = buyer.post("/api/orders", {"expected_total": "35.00"}, 201)
    path = f"/api/orders/{order['id']}"
    assert buyer.answer.headers["Location"] == path
    assert (order["status"], order["payment_status"], order["total"]) == (
        "pending",
        "unpaid",
        "35.00",
    )
    assert order["expires_at"]
    assert order["shipping_address"]["line1"] == ADDRESS["line1"]
    assert buyer.get("/api/carts")["items"] == []
    assert shop.nobody.get(f"/api/products/{lamp['id']}")["available"] == 3

    payment = shop.pay(buyer, order)
    assert (payment["status"], payment["amount"]) == ("succeeded", "35.00")
    assert buyer.answer.headers["Location"] == f"/api/payments/{payment['id']}"
    paid = buyer.get(path)
    assert (paid["status"], paid["payment_status"]) == ("processing", "paid")

    staff = shop.employee("staff")
    assert staff.patch(path, {"status": "shipped"})["status"] == "shipped"
    assert staff.put(path, {"status": "delivered"})["status"] == "delivered"

    def told():
        items = buyer.get("/api/notifications")["items"]
        return len([n for n in items if n["channel"] == "email" and n["status"] == "sent"]) >= 4

    eventually(told)
    assert len(mails(shop, email)) >= 4

    def timeline_kinds():
        return {entry["kind"] for entry in buyer.get(path + "/timeline")["items"]}

    eventually(lambda: timeline_kinds() >= {"order", "stock", "payment", "mail"})


def test_a_cancelled_order_gives_stock_and_money_back(shop, eventually):
    """By its owner, with a reason; the refund follows by itself."""
    buyer, product = shop.customer(), shop.product(stock=5)
    order = shop.order(buyer, product, quantity=2)
    payment = shop.pay(buyer, order)
    path = f"/api/orders/{order['id']}"
    cancelled = buyer.post(path + "/cancel", {"reason": "changed my mind"})
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "changed my mind")
    eventually(lambda: buyer.get(path)["payment_status"] == "refunded")
    assert buyer.get(f"/api/payments/{payment['id']}")["refunded"] == "20.00"
    eventually(lambda: shop.nobody.get(f"/api/products/{product['id']}")["available"] == 5)
    assert buyer.post(path + "/cancel", None, 409)["code"] == "invalid_transition"
    shop.admin.delete(path)
    buyer.get(path, 404)


def test_the_shop_sets_the_price(shop):
    """A price or total that differs from ours is a conflict that names it."""
    buyer, product = shop.customer(address=ADDRESS), shop.product()
    item = {"product_id": product["id"], "quantity": 1}
    problem = buyer.post("/api/orders", {"items": [item | {"price": "0.01"}]}, 409)
    assert problem["code"] == "price_changed"
    assert problem["lines"][0]["variant_id"] == product["id"]
    problem = buyer.post("/api/orders", {"items": [item], "expected_total": "9.99"}, 409)
    assert problem["code"] == "price_changed"
    buyer.post("/api/orders", {"items": [item | {"price": "10.00"}]}, 201)


def test_what_is_not_there_cannot_be_ordered(shop):
    """All short lines are named, and nothing is held."""
    buyer = shop.customer(address=ADDRESS)
    few, none = shop.product(stock=2), shop.product(stock=0)
    items = [
        {"product_id": few["id"], "quantity": 3},
        {"product_id": none["id"], "quantity": 1},
    ]
    problem = buyer.post("/api/orders", {"items": items}, 409)
    assert problem["code"] == "out_of_stock"
    short = {line["variant_id"]: line["available"] for line in problem["lines"]}
    assert short == {few["id"]: 2, none["id"]: 0}
    assert shop.nobody.get(f"/api/products/{few['id']}")["available"] == 2


def test_an_order_needs_an_address_and_something_in_it(shop):
    """Without a default address one has to be sent; an empty cart is no order."""
    buyer, product = shop.customer(), shop.product()
    items = [{"product_id": product["id"], "quantity": 1}]
    problem = buyer.post("/api/orders", {"items": items}, 422)
    assert any(field.startswith("shipping_address") for field in problem["errors"])
    buyer.post("/api/orders", {"shipping_address": ADDRESS}, 422)
    buyer.post("/api/orders", {"items": items, "shipping_address": {"city": "X"}}, 422)


def test_a_cart_changes_line_by_line(shop):
    """Some of a product, all of it, everything."""
    buyer, product = shop.customer(), shop.product()
    one = {"product_id": product["id"]}
    assert buyer.post("/api/carts/add_item", one | {"quantity": 3})["items"][0]["quantity"] == 3
    assert buyer.post("/api/carts/remove_item", one | {"quantity": 1})["total"] == "20.00"
    shop.admin.patch(f"/api/products/{product['id']}", {"price": "11.00"})
    line = buyer.get("/api/carts")["items"][0]
    assert (line["unit_price"], line["price_changed"]) == ("11.00", True)
    assert buyer.post("/api/carts/remove_item", one)["items"] == []
    buyer.post("/api/carts/add_item", one | {"quantity": 1})
    assert buyer.delete("/api/carts", 200)["items"] == []
    buyer.post("/api/carts/add_item", {"product_id": 2**60, "quantity": 1}, 422)


def test_the_owner_may_send_a_pending_order_elsewhere(shop):
    """The address while nothing is paid; the state is for staff."""
    buyer, product = shop.customer(), shop.product()
    path = f"/api/orders/{shop.order(buyer, product)['id']}"
    moved = buyer.patch(path, {"shipping_address": ADDRESS | {"city": "Delft"}})
    assert moved["shipping_address"]["city"] == "Delft"
    buyer.patch(path, {"status": "shipped"}, 403)
    assert shop.admin.patch(path, {"status": "delivered"}, 409)["code"] == "invalid_transition"
    buyer.patch(path, {}, 422)
    buyer.patch(path, {"total": "0.01"}, 422)
    shop.admin.delete(path, 409)


def test_orders_are_listed_and_filtered(shop):
    """One's own; for staff everybody's, by user, state and time."""
    buyer, product, staff = shop.customer(), shop.product(), shop.employee("staff")
    orders = [shop.order(buyer, product)["id"] for _ in range(3)]
    shop.pay(buyer, {"id": orders[0]})
    assert [o["id"] for o in buyer.pages("/api/orders?limit=2")] == orders[::-1]
    own = f"/api/orders/user/{buyer.user_id}"
    assert [o["id"] for o in staff.pages(own + "?limit=1")] == orders[::-1]
    paid = staff.get(f"/api/orders?user_id={buyer.user_id}&payment_status=paid")
    assert [o["id"] for o in paid["items"]] == [orders[0]]
    assert buyer.get(own + "?status=cancelled")["items"] == []
    assert buyer.get("/api/orders?from=2999-01-01T00:00:00Z")["items"] == []
    assert len(buyer.get("/api/orders?to=2999-01-01T00:00:00%2B02:00")["items"]) == 3
    assert "from" in buyer.get("/api/orders?from=yesterday", 422)["errors"]


def test_the_same_key_makes_one_order_and_one_payment(shop):
    """A repeat under the same `Idempotency-Key` answers with the first one."""
    buyer, product = shop.customer(), shop.product(stock=5)
    body = {"items": [{"product_id": product["id"], "quantity": 1}], "shipping_address": ADDRESS}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    order, again = (buyer.post("/api/orders", body, 201, headers=key) for _ in range(2))
    assert order["id"] == again["id"]
    assert shop.nobody.get(f"/api/products/{product['id']}")["available"] == 4
    body = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
    payment, again = (buyer.post("/api/payments", body, 201, headers=key) for _ in range(2))
    assert payment["id"] == again["id"]
    bad = {"Idempotency-Key": "with space"}
    assert "Idempotency-Key" in buyer.post("/api/orders", {}, 422, headers=bad)["errors"]


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("tok_declined", "failed", "card_declined"),
        ("tok_insufficient_funds", "failed", "insufficient_funds"),
        ("tok_partial", "failed", "partial_capture"),
        ("tok_3ds", "requires_action", None),
        ("tok_timeout", "pending", None),
    ],
)
def test_a_payment_may_not_succeed(shop, token, status, code):
    """It says why, and the order stays unpaid."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    payment = shop.pay(buyer, order, token)
    assert (payment["status"], payment["failure_code"]) == (status, code)
    assert bool(payment["action_url"]) == (status == "requires_action")
    assert buyer.get(f"/api/orders/{order['id']}")["payment_status"] == "unpaid"


@pytest.mark.parametrize("token", ["tok_declined", "tok_partial"])
def test_a_failed_payment_can_be_followed_by_another(shop, token):
    """Both are listed, the newest first."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    failed, paid = shop.pay(buyer, order, token), shop.pay(buyer, order)
    listed = buyer.get(f"/api/payments?order_id={order['id']}")["items"]
    assert [p["id"] for p in listed] == [paid["id"], failed["id"]]
    assert "order_id" in buyer.get("/api/payments", 422)["errors"]
    assert shop.pay(buyer, order, expect=409)["code"] == "already_paid"


@pytest.mark.parametrize(
    "method",
    [
        {"type": "card", "token": "4242424242424242"},
        {"type": "card", "token": "tok_4242424242424242"},
        {"type": "card", "token": "tok_4242_4242_4242_4242"},
        {"type": "card", "number": "4242 4242 4242 4242", "cvc": "123"},
        {"type": "card", "token": "tok_visa", "number": "4242424242424242"},
        "4242424242424242",
    ],
)
def test_no_card_number_is_taken(shop, method, capfd):
    """422, and it is neither repeated nor logged."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    buyer.post("/api/payments", {"order_id": order["id"], "method": method}, 422)
    assert "4242" not in buyer.answer.text
    printed = "".join(capfd.readouterr())
    for form in ("4242424242424242", "4242 4242", "4242_4242"):
        assert form not in printed


def test_staff_refund_a_part_and_then_the_rest(shop, eventually):
    """Never more than was taken; the order's payment state follows."""
    buyer, staff = shop.customer(), shop.employee("staff")
    order = shop.order(buyer, shop.product(), quantity=2)
    path = f"/api/payments/{shop.pay(buyer, order)['id']}/refund"
    part = staff.post(path, {"amount": "5.00", "reason": "scratched"})
    assert (part["status"], part["refunded"]) == ("partially_refunded", "5.00")
    assert staff.post(path, {"amount": "15.01", "reason": "x"}, None)["status"] in (409, 422)
    assert staff.post(path, {"reason": "broken"})["status"] == "refunded"
    order_path = f"/api/orders/{order['id']}"
    eventually(lambda: buyer.get(order_path)["payment_status"] == "refunded")


def test_notifications_are_sent_listed_and_read(shop):
    """Staff send, the user sees the newest first and marks it as read."""
    user, staff = shop.customer(), shop.employee("staff")
    message = {"user_id": user.user_id, "channel": "in_app", "subject": "Hello", "body": "There"}
    sent = staff.post("/api/notifications/send", message, 201)
    assert user.get("/api/notifications?unread=true")["items"][0]["id"] == sent["id"]
    assert staff.get(f"/api/notifications/{user.user_id}?limit=1")["items"][0] == sent
    assert user.patch(f"/api/notifications/{sent['id']}", {"read": True})["read"] is True
    for channel in ("email", "sms"):
        staff.post("/api/notifications/send", message | {"channel": channel}, 201)
    staff.post("/api/notifications/send", message | {"user_id": str(uuid.uuid4())}, 404)
    unread = user.pages("/api/notifications?unread=true&limit=1")
    assert sent["id"] not in [n["id"] for n in unread]


def test_everybody_sees_that_no_real_money_is_taken(shop):
    """The simulator's payments say so, and so does the shop."""
    buyer = shop.customer(address=ADDRESS)
    assert shop.nobody.get("/readyz")["test_mode"] is True
    assert shop.nobody.get("/api/payments/health")["test_mode"] is True
    payment = shop.pay(buyer, shop.order(buyer, shop.product()))
    assert payment["test_mode"] is True


def test_an_order_that_costs_nothing_is_paid_at_once(shop):
    """There is nothing to pay, and its page says so."""
    buyer = shop.customer(address=ADDRESS)
    order = shop.order(buyer, shop.product(price="0.00"))
    assert (order["total"], order["status"], order["payment_status"]) == (
        "0.00", "processing", "paid",
    )  # fmt: skip
    assert shop.pay(buyer, order, expect=409)["code"] == "nothing_to_pay"
    assert buyer.get(f"/api/payments?order_id={order['id']}")["items"] == []


def test_another_card_replaces_one_that_was_abandoned(shop):
    """The first has no way to be paid any more."""
    buyer = shop.customer(address=ADDRESS)
    order = shop.order(buyer, shop.product())
    abandoned = shop.pay(buyer, order, "tok_3ds")
    assert abandoned["action_url"]
    assert shop.pay(buyer, order)["status"] == "succeeded"
    replaced = buyer.get(f"/api/payments/{abandoned['id']}")
    assert (replaced["status"], replaced["failure_code"]) == ("failed", "replaced")
    assert replaced["action_url"] is None


def test_a_step_that_the_state_does_not_allow_says_which_state_it_is(shop):
    """`status` is the HTTP status as ever (RFC 9457), the order's own is `order_status`."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    path = f"/api/orders/{order['id']}"
    pending = {"order_status": "pending", "payment_status": "unpaid"}
    refused = [
        (shop.admin.patch(path, {"status": "delivered"}, 409), pending),
        (shop.admin.delete(path, 409), pending),
    ]
    buyer.post(path + "/cancel", None, 200)
    cancelled = {"order_status": "cancelled", "payment_status": "unpaid"}
    refused += [
        (buyer.post(path + "/cancel", None, 409), cancelled),
        (buyer.patch(path, {"shipping_address": ADDRESS}, 409), cancelled),
        (shop.admin.patch(path, {"status": "shipped"}, 409), cancelled),
        (shop.pay(buyer, order, expect=409), cancelled),
    ]
    for problem, state in refused:
        assert (problem["code"], problem["status"]) == ("invalid_transition", 409)
        assert {name: problem.get(name) for name in state} == state


def test_an_order_is_named_by_its_number(shop, eventually):
    """In answers, mails and the feed; its owner and staff find it by that, staff also by the
    buyer's name, without accents, or e-mail address."""
    buyer = shop.customer(first_name="Zdenka", last_name="Nováková")
    email = buyer.get("/api/users/profile")["email"]
    order = shop.order(buyer, shop.product())
    number, staff = order["number"], shop.employee("staff")
    for finder in (buyer, staff):
        for typed in (number, number.replace("-", "").lower(), order["id"][:8].upper()):
            (found,) = finder.get(f"/api/orders?number={typed}")["items"]
            assert found["id"] == order["id"]
    for words in (email, f"novakova {email}", number.replace("-", "%20")):
        (found,) = staff.get(f"/api/orders?search={words}")["items"]
        assert found["number"] == number
    assert buyer.get("/api/orders?search=novakova", 403)["code"] == "forbidden"
    assert "number" in buyer.get("/api/orders?number=S-000-000-001", 422)["errors"]
    assert eventually(lambda: mails(shop, number))
    subjects = [item["subject"] for item in buyer.get("/api/notifications")["items"]]
    assert f"Thank you for your order {number}" in subjects


def test_staff_look_people_up(shop):
    """By words about them; roles are the admins' all the same."""
    buyer = shop.customer(first_name="Zdenka", last_name="Nováková")
    email = buyer.get("/api/users/profile")["email"]
    staff = shop.employee("staff")
    (found,) = staff.get(f"/api/users?search=novakova%20zdenka%20{email}")["items"]
    assert (found["id"], found["last_name"]) == (buyer.user_id, "Nováková")
    assert "search" in staff.get("/api/users", 422)["errors"]
    staff.patch(f"/api/users/{buyer.user_id}", {"role": "admin"}, 403)
    buyer.get("/api/users?search=zdenka", 403)


def test_one_buyer_does_not_hold_the_shop(shop):
    """Units and orders that are not paid are bounded; the answer says what to do."""
    buyer, chair = shop.customer(), shop.product(stock=1000)
    items = {"items": [{"product_id": chair["id"], "quantity": 1000}], "shipping_address": ADDRESS}
    refused = buyer.post("/api/orders", items, 409)
    assert refused["code"] == "too_many_unpaid_units"
    assert refused["lines"] == [
        {"variant_id": chair["id"], "product_id": chair["id"], "requested": 1000, "unpaid": 0}
        | {"limit": 100}
    ]
    for _ in range(10):
        shop.order(buyer, chair)
    items["items"][0]["quantity"] = 1
    refused = buyer.post("/api/orders", items, 409)
    assert (refused["code"], refused["limit"]) == ("too_many_open_orders", 10)


def test_a_cart_shows_the_currency_of_its_lines(shop):
    """A product that costs 1500 yen by now is not shown, or sold, at 1500 euros."""
    buyer, chair = shop.customer(address=ADDRESS), shop.product(price="10.00")
    buyer.post("/api/carts/add_item", {"product_id": chair["id"], "quantity": 1})
    shop.admin.patch(f"/api/products/{chair['id']}", {"price": "1500", "currency": "JPY"})
    cart = buyer.get("/api/carts")
    (line,) = cart["items"]
    assert (line["currency"], line["price_changed"], cart["currency"]) == ("JPY", True, "JPY")
    refused = buyer.post("/api/orders", {}, 409)
    assert refused["lines"][0]["current_currency"] == "JPY"
    body = {"expected_total": "1500.00", "currency": "JPY"}
    assert buyer.post("/api/orders", body, 201)["currency"] == "JPY"
