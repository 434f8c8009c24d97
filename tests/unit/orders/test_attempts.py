"""What a checkout under way keeps in its row."""

import datetime
import json
from decimal import Decimal

from orders.attempts import Basket
from orders.pricing import Line


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
