"""Tax over HTTP: rates for admins, taxes on the orders of buyers.

Everybody else's orders go elsewhere, and what is set up here ends again."""

import uuid

import pytest

RATES = "/api/tax-rates"
HOME = {"line1": "2 Rue Plaetis", "city": "Luxembourg", "postal_code": "2338", "country": "LU"}


@pytest.fixture
def rate(shop):
    """`rate("17")`: a rate in Luxembourg, while the test lasts."""
    made = []

    def create(percent, expect=201, **fields):
        vat = {"country": "LU", "rate": percent, "label": f"TVA {percent} %"}
        answer = shop.admin.post(RATES, vat | fields, expect)
        made.extend([answer["id"]] if expect == 201 else [])
        return answer

    yield create
    for one in made:
        shop.admin.delete(f"{RATES}/{one}")


def of_luxembourg(shop):
    return shop.admin.get(f"{RATES}?country=LU&limit=100")["items"]


def test_an_order_shows_its_taxes(shop, rate):
    """Each with what is taxed by it; they stay when the rate ends."""
    rate("17")
    rate("3", tax_class="books")
    mug, novel = shop.product(price="11.70"), shop.product(price="20.60", tax_class="books")
    assert novel["tax_class"] == "books"
    buyer = shop.customer()
    body = {
        "items": [{"product_id": one["id"], "quantity": 1} for one in (mug, novel)],
        "shipping_address": HOME,
        "expected_total": "32.30",
    }
    order = buyer.post("/api/orders", body, 201)
    assert [(tax["label"], tax["taxable"], tax["amount"]) for tax in order["taxes"]] == [
        ("TVA 3 %", "20.00", "0.60"),
        ("TVA 17 %", "10.00", "1.70"),
    ]
    assert (order["net"], order["tax"], order["total"]) == ("30.00", "2.30", "32.30")
    for one in of_luxembourg(shop):
        shop.admin.delete(f"{RATES}/{one['id']}")
    assert buyer.get(f"/api/orders/{order['id']}")["taxes"] == order["taxes"]
    assert buyer.post("/api/orders", body, 201)["taxes"] == []


def test_a_cart_shows_what_its_order_comes_to(shop, rate):
    """Once it is known where it is to go."""
    rate("17")
    buyer, mug = shop.customer(), shop.product(price="11.70")
    line = {"product_id": mug["id"], "quantity": 2}
    assert buyer.post("/api/carts/add_item", line)["taxes"] == []
    buyer.put("/api/carts/address", {"country": "XX"}, 422)
    buyer.put("/api/carts/address", {"country": "LU", "postal_code": "12"}, 422)
    address = {"country": "LU", "region": None, "postal_code": "2338"}
    cart = buyer.put("/api/carts/address", address)
    assert buyer.put("/api/carts/address", cart["address"]) == cart
    assert (cart["net"], cart["tax"], cart["total"]) == ("20.00", "3.40", "23.40")
    body = {"shipping_address": HOME, "expected_total": cart["total"]}
    assert buyer.post("/api/orders", body, 201)["taxes"] == cart["taxes"]


def test_sent_twice_it_is_set_once(shop, rate):
    """Under its key, which says so; another body under it is refused."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"country": "LU", "rate": "17", "label": "TVA 17 %", "tax_class": uuid.uuid4().hex}
    first, again = (shop.admin.post(RATES, body, 201, headers=key) for _ in range(2))
    assert first == again
    assert shop.admin.answer.headers["Idempotent-Replayed"] == "true"
    shop.admin.post(RATES, body | {"rate": "3"}, 422, headers=key)
    assert [one["id"] for one in of_luxembourg(shop)].count(first["id"]) == 1


def test_what_cannot_be_is_refused(shop, rate):
    """A second rate at the same time; percents that are none; countries that are none."""
    rate("17")
    assert rate("16", 409)["code"] == "tax_rate_overlaps"
    for percent in ("-1", "100.1", "17.0001", "1e1", "", "0"):
        assert rate(percent, 422, tax_class="x")["errors"].keys() <= {"rate", "reason"}
    assert "country" in rate("17", 422, country="XX")["errors"]
    assert "region" in rate("17", 422, country="US", region="Utrecht")["errors"]
    backwards = {"valid_from": "2027-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z"}
    assert "valid_until" in rate("17", 422, tax_class="x", **backwards)["errors"]
    shop.admin.delete(f"{RATES}/{uuid.uuid4()}", 404)
    shop.admin.delete(f"{RATES}/{of_luxembourg(shop)[0]['id']}?valid_until=yesterday", 422)


def test_rates_are_the_admins(shop, rate):
    """Nobody else sees or sets them."""
    one = rate("17")
    for person, status in (
        (shop.employee("staff"), 403),
        (shop.customer(), 403),
        (shop.nobody, 401),
    ):
        person.get(RATES, status)
        person.post(RATES, {"country": "LU", "rate": "1", "label": "x"}, status)
        person.delete(f"{RATES}/{one['id']}", status)
