"""What a checkout under way keeps in its row."""

import datetime
import json
from decimal import Decimal

from orders.checkout.pricing import Basket, limits
from orders.lines import Line


def test_a_basket_survives_its_row():
    """A checkout that is taken up again makes exactly the order that was begun."""
    basket = Basket(
        lines=(Line(7, "Kettle", 2, Decimal("19.90")), Line(1, "Mug", 1, Decimal("4.50"))),
        currency="EUR",
        shipping_address={"line1": "1 Quay", "line2": None},
        expires_at=datetime.datetime(2031, 5, 1, 12, 30, 0, 123456, datetime.UTC),
        cart_version=4,
    )
    again = Basket.from_json(json.loads(json.dumps(basket.to_json())))
    assert again == basket
    assert again.total == Decimal("44.30")


def test_what_a_buyer_may_hold_is_a_few_units_or_a_share():
    """Whichever is more, by what is available; with no share it is the units alone."""
    settings = {"max_open_orders": 10, "max_unpaid_units": 20, "max_unpaid_percent": 10}
    allowed = limits(settings, {1: 0, 2: 5, 3: 209, 4: 1000, 5: -3})
    assert allowed.orders == 10
    assert allowed.units == {1: 20, 2: 20, 3: 20, 4: 100, 5: 20}
    assert limits(settings | {"max_unpaid_percent": 0}, {4: 1000}).units == {4: 20}
