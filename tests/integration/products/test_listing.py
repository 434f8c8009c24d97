"""Lists: filters, orders, pages."""

import random
from decimal import Decimal

import pytest

from chassis import paging
from chassis.errors import Invalid
from products.catalog.listing_sql import ORDERS


@pytest.fixture
def shop(category, shelf):
    """A small shop: two departments, products on all floors of the tree."""
    home = category("Home")
    lamps = category("Lamps", parent_id=home)
    desk = category("Desk Lamps", parent_id=lamps)
    garden = category("Garden")
    shelf("Vase", price="12.00", category_id=home)
    shelf("lantern", price="30.00", category_id=lamps, stock=0)
    shelf("Arc Lamp", price="120.00", category_id=lamps)
    shelf("Banker Lamp", price="30.00", category_id=desk)
    shelf("Spade", price="25.00", category_id=garden)
    shelf("Voucher", price="30.00")
    return {"home": home, "lamps": lamps, "desk": desk, "garden": garden}


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Arc Lamp", "Banker Lamp", "lantern", "Spade", "Vase", "Voucher"]),
        ("price", ["Vase", "Spade", "lantern", "Banker Lamp", "Voucher", "Arc Lamp"]),
        ("-price", ["Arc Lamp", "Voucher", "Banker Lamp", "lantern", "Spade", "Vase"]),
        ("-created_at", ["Voucher", "Spade", "Banker Lamp", "Arc Lamp", "lantern", "Vase"]),
        (None, ["Voucher", "Spade", "Banker Lamp", "Arc Lamp", "lantern", "Vase"]),
        ("relevance", ["Voucher", "Spade", "Banker Lamp", "Arc Lamp", "lantern", "Vase"]),
    ],
)
def test_orders(shop, names, sort, expected, limit):
    """Each order is total, whatever the size of a page; capitals do not matter to names."""
    assert names(sort=sort, limit=limit) == expected


@pytest.mark.parametrize("sort", ["name", "-price", "-created_at"])
@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("home", {"Vase", "lantern", "Arc Lamp", "Banker Lamp"}),
        ("lamps", {"lantern", "Arc Lamp", "Banker Lamp"}),
        ("desk-lamps", {"Banker Lamp"}),
        ("garden", {"Spade"}),
        ("nowhere", set()),
    ],
)
def test_a_category_means_its_branch(shop, names, slug, expected, sort):
    """By slug or by id, with all categories below it, in the same order as everything else."""
    everything = names(sort=sort)
    in_order = [name for name in everything if name in expected]
    assert names(category=slug, sort=sort, limit=1) == in_order
    key = {"desk-lamps": "desk", "nowhere": None}.get(slug, slug)
    category_id = shop[key] if key else 999
    assert names(category=category_id, sort=sort) == in_order
    assert names(category=str(category_id), sort=sort) == in_order


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"min_price": "30.00"}, {"lantern", "Arc Lamp", "Banker Lamp", "Voucher"}),
        ({"max_price": "25.00"}, {"Vase", "Spade"}),
        ({"min_price": "25.00", "max_price": "30"}, {"Spade", "lantern", "Banker Lamp", "Voucher"}),
        ({"min_price": "31", "max_price": "30"}, set()),
        ({"in_stock": False}, {"lantern"}),
        ({"in_stock": True, "max_price": "30"}, {"Vase", "Spade", "Banker Lamp", "Voucher"}),
        ({"category": "lamps", "in_stock": True, "min_price": "31"}, {"Arc Lamp"}),
        ({"category": "home", "search": "lamp", "max_price": "99"}, {"Banker Lamp"}),
        ({"category": "home", "search": "lamp", "in_stock": True}, {"Arc Lamp", "Banker Lamp"}),
    ],
)
def test_filters_narrow(shop, names, query, expected):
    """Filters are joined by and; bounds belong to the range."""
    assert set(names(**query)) == expected


@pytest.fixture
def abroad(shop, shelf):
    """The small shop with things that are sold in other currencies, too."""
    shelf("Netsuke", price="1500.00", currency="JPY", category_id=shop["home"])
    shelf("Kokeshi", price="20.00", currency="JPY", category_id=shop["lamps"])
    shelf("Dallah", price="12.50", currency="KWD")


EUROS = ["Vase", "Spade", "lantern", "Banker Lamp", "Voucher", "Arc Lamp"]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_prices_are_sorted_within_their_currency(abroad, names, limit):
    """What has the same currency comes together; nothing is left out."""
    by_price = [*EUROS, "Kokeshi", "Netsuke", "Dallah"]
    assert names(sort="price", limit=limit) == by_price
    assert names(sort="-price", limit=limit) == by_price[::-1]
    home = [name for name in by_price if name not in ("Spade", "Voucher", "Dallah")]
    assert names(sort="price", category="home", limit=limit) == home
    assert names(sort="-price", category="home", limit=limit) == home[::-1]


@pytest.mark.parametrize("sort", [None, "name", "price", "-price", "-created_at"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"currency": "JPY"}, {"Kokeshi", "Netsuke"}),
        ({"currency": "USD"}, set()),
        ({"currency": "JPY", "min_price": "21"}, {"Netsuke"}),
        ({"currency": "JPY", "category": "lamps"}, {"Kokeshi"}),
        ({"currency": "JPY", "search": "netsuke"}, {"Netsuke"}),
        ({"currency": "KWD", "max_price": "12.50", "in_stock": True}, {"Dallah"}),
        # The shop's own, when there are several.
        ({"max_price": "20"}, {"Vase"}),
        ({"min_price": "100"}, {"Arc Lamp"}),
        ({"min_price": "100", "category": "home"}, {"Arc Lamp"}),
    ],
)
def test_bounds_of_a_price_are_in_a_currency(abroad, names, sort, query, expected):
    """So 1500 yen are neither more nor less than 20 euros."""
    assert set(names(**query, sort=sort, limit=1)) == expected


def test_bounds_are_in_the_only_currency_there_is(products, shelf, names):
    """Whatever the shop's own is; as soon as there is another one, in the shop's own."""
    for name, price in (("Tin", "5.00"), ("Pot", "15.00")):
        shelf(name, price=price, currency="USD")
    assert names(min_price="10") == ["Pot"]
    gone = shelf("Vase", price="12.00")
    assert names(min_price="10") == ["Vase"]
    products.delete(product_id=gone["id"])
    assert names(min_price="10", sort="price") == ["Pot"]


def test_a_page_is_followed_while_products_come_and_go(products, shelf, names):
    """What was there all along is shown once: nothing is skipped or repeated by changes."""
    for number in range(20):
        shelf(f"Lamp {number:02}", price=str(10 + number % 3))
    for sort in ("name", "price", "-price", "-created_at"):
        before = names(sort=sort)
        page = products.list(sort=sort, limit=5)
        shown = [item["name"] for item in page["items"]]
        gone = random.Random(sort).sample(before, 4)
        for item in products.list(limit=100)["items"]:
            if item["name"] in gone:
                products.delete(product_id=item["id"])
        shelf(f"Lamp new {sort}", price="11")
        while page["next"]:
            page = products.list(sort=sort, limit=5, cursor=page["next"])
            shown += [item["name"] for item in page["items"]]
        assert len(shown) == len(set(shown))
        staying = [name for name in before if name not in gone]
        assert [name for name in shown if name in staying] == staying


def test_a_filtered_list_keeps_its_filters_page_by_page(shop, names):
    """The cursor is a place in a list; the filters come with each request."""
    assert names(category="home", in_stock=True, sort="price", limit=1) == [
        "Vase",
        "Banker Lamp",
        "Arc Lamp",
    ]


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        paging.encode("products", ["name", False, 0, "x", 1]),
        paging.encode("products", ["price", False, 0, "1.00", 1]),  # of an earlier release
        paging.encode("products", ["price", False, 0, "EUR", "1E-999999", 1]),
        paging.encode("products", ["price", False, 0, "EUR", "1E+999999", 1]),
        paging.encode("products", ["price", False, 0, "EUR", "NaN", 1]),
        paging.encode("products", ["price", False, 0, "EUR\0", "1.00", 1]),
        paging.encode("products", ["price", False, 7, "EUR", "1.00", 1]),
        paging.encode("products", ["price", False, 0, "EUR", "1.00", 2**63]),
        paging.encode("products", ["price", False, 0, "EUR", "1.00"]),
        paging.encode("products", ["price", 1, 0, "EUR", "1.00", 1]),
    ],
)
def test_cursors_of_elsewhere(products, cursor):
    """A cursor of another order, or made by hand, is a wrong field and nothing worse."""
    with pytest.raises(Invalid) as refused:
        products.list(sort="price", cursor=cursor)
    assert list(refused.value.errors) == ["cursor"]


def test_cursors_survive_their_own_round_trip(products, shelf):
    """Prices, moments and long names in any alphabet come back as they went."""
    for number in range(3):
        shelf("Ö" * 150 + f"{number}", price=str(Decimal("0.01") * number))
    for sort in ORDERS:
        first = products.list(sort=sort, limit=1)
        second = products.list(sort=sort, limit=2, cursor=first["next"])
        assert len(second["items"]) == 2
        assert second["next"] is None
