"""What a checkout under way keeps in its row."""

import datetime
import json
from decimal import Decimal

import pytest

from orders.checkout.pricing import Basket, Shown, limits
from orders.lines import Wanted

UNTIL = datetime.datetime(2031, 5, 1, 12, 30, 0, 123456, datetime.UTC)
HOME = {"line1": "1 Quay", "line2": None}


def kept(basket):
    return json.loads(json.dumps(basket.to_json()))


@pytest.mark.parametrize(("cart_version", "method"), [(None, None), (4, "parcel")])
@pytest.mark.parametrize("shown", [Shown(), Shown(Decimal("0.00")), Shown(Decimal("44.30"), "CHF")])
def test_a_basket_survives_its_row(shown, cart_version, method):
    """A checkout that is taken up again asks for exactly what was asked, as it was shown."""
    lines = (
        Wanted(7, 2, (Decimal("19.90"), Decimal("0.00")), "EUR"),
        Wanted(1, 1, (), "USD"),
        Wanted(4, 1, by_product=True),
    )
    basket = Basket(lines, shown, HOME, UNTIL, cart_version, method)
    assert Basket.from_json(kept(basket)) == basket


def test_where_sql_reads_variant_and_quantity():
    """Beside processes of the release before, which read and write them there."""
    lines = (Wanted(7, 2, (Decimal("19.90"),), "EUR"), Wanted(1, 5))
    written = kept(Basket(lines, Shown(), HOME, UNTIL))["lines"]
    assert [(line[0], line[2]) for line in written] == [(7, 2), (1, 5)]


def test_a_row_of_the_release_before():
    """It had names and prices; they are what was shown."""
    row = {
        "lines": [[7, "Kettle", 2, "19.90"], [1, "Mug", 1, "4.50"]],
        "currency": "EUR",
        "shipping_address": HOME,
        "expires_at": UNTIL.isoformat(),
        "cart_version": 4,
    }
    lines = (Wanted(7, 2, (Decimal("19.90"),), "EUR"), Wanted(1, 1, (Decimal("4.50"),), "EUR"))
    assert Basket.from_json(row) == Basket(lines, Shown(), HOME, UNTIL, 4)


def test_what_a_buyer_may_hold_is_a_few_units_or_a_share():
    """Whichever is more, by what is available; with no share it is the units alone."""
    settings = {"max_open_orders": 10, "max_unpaid_units": 20, "max_unpaid_percent": 10}
    allowed = limits(settings, {1: 0, 2: 5, 3: 209, 4: 1000, 5: -3})
    assert allowed.orders == 10
    assert allowed.units == {1: 20, 2: 20, 3: 20, 4: 100, 5: 20}
    assert limits(settings | {"max_unpaid_percent": 0}, {4: 1000}).units == {4: 20}
