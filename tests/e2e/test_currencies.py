"""Currencies with other than two places, and what costs nothing, over HTTP; the client looks at the
form of each amount that is answered."""

import pytest

from tests.e2e.client import ADDRESS


@pytest.mark.parametrize(
    ("currency", "price", "two", "part", "rest", "too_fine", "nothing"),
    [
        ("JPY", "1200", "2400", "1", "2399", "0.5", "0"),
        ("KWD", "9.995", "19.990", "0.005", "19.985", "0.0005", "0.000"),
        ("EUR", "9.99", "19.98", "0.01", "19.97", "0.001", "0.00"),
    ],
)
def test_from_the_price_to_the_refund(
    shop, eventually, currency, price, two, part, rest, too_fine, nothing
):
    """Nothing is lost or gained by a part of the smallest coin, and nobody gets one."""
    product = shop.product(price=price, currency=currency)
    assert (product["price"], product["currency"]) == (price, currency)
    buyer, staff = shop.customer(address=ADDRESS), shop.employee("staff")
    item = {"product_id": product["id"], "quantity": 2}
    assert buyer.post("/api/carts/add_item", item)["total"] == two
    order = buyer.post("/api/orders", {"expected_total": two, "currency": currency}, 201)
    assert (order["total"], order["items"][0]["unit_price"]) == (two, price)
    payment = shop.pay(buyer, order)
    assert (payment["amount"], payment["refunded"]) == (two, nothing)
    refunds = f"/api/payments/{payment['id']}/refund"
    problem = staff.post(refunds, {"amount": too_fine, "reason": "late"}, 422)
    assert set(problem["errors"]) == {"amount"}
    assert staff.post(refunds, {"amount": part, "reason": "late"})["refunded"] == part
    path = f"/api/orders/{order['id']}"
    eventually(lambda: buyer.get(path)["payment_status"] == "partially_refunded")
    buyer.post(path + "/cancel", {})
    eventually(lambda: buyer.get(path)["payment_status"] == "refunded")
    due = [
        entry["detail"]["amount"]
        for entry in buyer.get(path + "/timeline")["items"]
        if entry["cause"] == "refund_due"
    ]
    assert due == [rest]


@pytest.mark.parametrize(
    ("currency", "price", "shown"),
    [("EUR", "9.9", "9.90"), ("EUR", 12, "12.00"), ("JPY", "1200.00", "1200"), ("KWD", 7, "7.000")],
)
def test_a_price_is_shown_with_the_places_of_its_currency(shop, currency, price, shown):
    """However it was sent, and also when its currency alone is changed."""
    product = shop.product(price=price, currency=currency)
    path = f"/api/products/{product['id']}"
    assert product["price"] == shown
    changed = shop.admin.patch(path, {"price": 5, "currency": "USD"})
    assert changed["price"] == "5.00"
    assert shop.admin.patch(path, {"currency": currency})["price"] == {
        "EUR": "5.00", "JPY": "5", "KWD": "5.000"
    }[currency]  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "price"), [("EUR", "9.999"), ("JPY", "9.5"), ("KWD", "9.9995"), ("USD", "0.001")]
)
def test_a_price_without_coins_is_refused(shop, currency, price):
    """Neither a new one, nor an old one by its new currency."""
    product = {"name": "Lamp", "price": price, "currency": currency}
    problem = shop.admin.post("/api/products", product, 422)
    assert set(problem["errors"]) == {"price"}
    finest = shop.product(price="9.995", currency="KWD")
    problem = shop.admin.patch(f"/api/products/{finest['id']}", {"currency": "EUR"}, 422)
    assert problem["errors"] == {"price": ["EUR has 2 decimal places."]}


def test_prices_are_compared_to_their_last_place(shop):
    """By the bounds of a list, and from page to page."""
    made = [
        shop.product(name=f"Dinar {price}", price=price, currency="KWD")["id"]
        for price in ("771.001", "771.002", "771.003", "771.0")
    ]
    listed = "/api/products?currency=KWD&sort=price&limit=1&min_price=771&max_price=771.{}"
    found = [one["id"] for one in shop.nobody.pages(listed.format("003"))]
    assert found == [made[3], *made[:3]]
    found = [one["id"] for one in shop.nobody.pages(listed.format("0025"))]
    assert found == [made[3], *made[:2]]


def test_an_order_of_nothing(shop, eventually):
    """It is paid at once and never charged; cancelled, nothing is given back."""
    gift = shop.product(price=0, stock=3)
    buyer = shop.customer(address=ADDRESS)
    order = shop.order(buyer, gift, quantity=2)
    path = f"/api/orders/{order['id']}"
    assert (order["total"], order["net"], order["tax"]) == ("0.00", "0.00", "0.00")
    assert (order["status"], order["payment_status"]) == ("processing", "paid")
    method = {"type": "card", "token": "tok_visa"}
    problem = buyer.post("/api/payments", {"order_id": order["id"], "method": method}, 409)
    assert problem["code"] == "nothing_to_pay"
    assert buyer.get(f"/api/payments?order_id={order['id']}")["items"] == []
    cancelled = buyer.post(path + "/cancel", {})
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "paid")
    eventually(lambda: buyer.get(f"/api/products/{gift['id']}")["available"] == 3)
    causes = [entry["cause"] for entry in buyer.get(path + "/timeline")["items"]]
    assert "refund_due" not in causes
    assert buyer.get(path)["payment_status"] == "paid"
