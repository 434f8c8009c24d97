"""What the services take and refuse."""

from decimal import Decimal

import pytest
from marshmallow import ValidationError

from contracts.inventory import requests as inventory
from contracts.products import requests as products

BY = {"actor": "system"}
PRODUCT = {"name": "Kettle", "description": "Boils.", "price": "24.90"} | BY


def errors(schema, values):
    with pytest.raises(ValidationError) as refused:
        schema().load(values)
    return refused.value.normalized_messages()


def test_create_fills_in_what_may_be_absent():
    """Name and price are enough."""
    loaded = products.CreateProduct().load({"name": " Kettle ", "price": "5"} | BY)
    assert loaded["name"] == "Kettle"
    assert loaded["price"] == Decimal("5.00")
    assert (loaded["stock"], loaded["images"], loaded["attributes"]) == (0, [], {})
    assert loaded["tax_class"] == "standard"
    assert "sku" not in loaded


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "nul\x00"),
        ("price", "-1"),
        ("price", "1.99999"),
        ("price", 24.9),
        ("price", "NaN"),
        ("currency", "eur"),
        ("sku", "white space"),
        ("category_id", 0),
        ("category_id", 2**63),
        ("stock", -1),
        ("stock", True),
        ("stock", 10_000_001),
        ("images", ["javascript:alert(1)"]),
        ("images", ["https://images.example.com/a.jpg"] * 21),
        ("images", "https://images.example.com/a.jpg"),
        ("attributes", []),
        ("attributes", {"nested": {"too": "deep"}}),
        ("attributes", {"list": [["deep"]]}),
        ("attributes", {"n": 1e400}),
        ("attributes", {"n": 10**400}),
        ("attributes", {"text": "nul\x00"}),
        ("attributes", {"text": "\ud800"}),
        ("attributes", {"": "no name"}),
        ("attributes", {f"k{n}": n for n in range(51)}),
        ("attributes", {"list": list(range(21))}),
        ("tax_class", "Standard"),
        ("tax_class", "x" * 51),
        ("tax_class", None),
        ("version", 1),
        ("available", 3),
        ("id", 7),
    ],
)
def test_create_refuses(field, value):
    """Wrong types, sizes and fields are named, before any query."""
    assert list(errors(products.CreateProduct, PRODUCT | {field: value})) == [field]


def test_attributes_hold_what_a_product_page_shows():
    """Text, numbers, truth values and lists of them, trimmed."""
    given = {"colour": " sand ", "weight_g": 420, "washable": True, "sizes": ["S", "M", 42.5]}
    loaded = products.CreateProduct().load(PRODUCT | {"attributes": given})
    assert loaded["attributes"] == given | {"colour": "sand"}


def test_update_takes_part_of_a_product():
    """Only what is sent is changed; the initial stock is not an attribute of a product."""
    loaded = products.UpdateProduct().load({"product_id": 1, "price": "2.00"} | BY)
    del loaded["actor"]
    assert loaded == {"product_id": 1, "price": Decimal("2.00"), "version": None}
    assert list(errors(products.UpdateProduct, {"product_id": 1, "stock": 3} | BY)) == ["stock"]


@pytest.mark.parametrize(
    ("given", "loaded"), [("lamps", "lamps"), (" 12 ", 12), (12, 12), ("12-inch", "12-inch")]
)
def test_a_category_is_named_by_slug_or_id(given, loaded):
    """Digits are an id, anything else a slug."""
    assert products.ListProducts().load({"category": given})["category"] == loaded


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", True),
        ("category", 0),
        ("category", "9" * 30),
        ("category", []),
        ("search", "x" * 201),
        ("min_price", "cheap"),
        ("in_stock", "perhaps"),
        ("sort", "stock"),
        ("limit", 0),
        ("limit", 101),
        ("cursor", "x" * 2000),
        ("page", 2),
    ],
)
def test_list_refuses(field, value):
    """A list is asked for in bounds."""
    assert list(errors(products.ListProducts, {field: value})) == [field]


@pytest.mark.parametrize("slug", ["123", "-lamps", "lamps-", "Lamps", "la mps", "la--mps"])
def test_slugs_look_like_slugs(slug):
    """A slug has a letter and nothing that an address would have to escape."""
    assert list(errors(products.CreateCategory, {"name": "Lamps", "slug": slug} | BY)) == ["slug"]


@pytest.mark.parametrize(
    "change", [{}, {"delta": 1, "on_hand": 1}, {"delta": 10**9}, {"on_hand": -1}, {"delta": 1.5}]
)
def test_adjust_is_by_delta_or_by_count(change):
    """One of both, in bounds."""
    assert errors(inventory.Adjust, {"variant_id": 1, "reason": "counted"} | BY | change)


def test_adjust_needs_a_reason():
    """The ledger says why."""
    assert list(errors(inventory.Adjust, {"variant_id": 1, "delta": 1, "reason": " "} | BY)) == [
        "reason"
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines", []),
        ("lines", [{"variant_id": 1, "quantity": 0}]),
        ("lines", [{"variant_id": 1, "quantity": 1001}]),
        ("lines", [{"variant_id": 1, "quantity": 1, "price": "1"}]),
        ("lines", [{"variant_id": n, "quantity": 1} for n in range(1, 102)]),
        ("order_id", "1"),
        ("expires_at", "tomorrow"),
        ("expires_at", "2030-01-01T00:00:00"),
    ],
)
def test_reserve_refuses(field, value):
    """Lines are bounded, orders are UUIDs, moments have a zone."""
    request = {
        "order_id": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "lines": [{"variant_id": 1, "quantity": 1}],
        "expires_at": "2030-01-01T00:00:00Z",
    }
    assert list(errors(inventory.Reserve, request | {field: value})) == [field]


def test_get_many_takes_ids_or_skus():
    """Not both, and not none."""
    assert products.GetProducts().load({"skus": ["A-1"]}) == {"skus": ["A-1"]}
    assert errors(products.GetProducts, {})
    assert errors(products.GetProducts, {"ids": [1], "skus": ["A-1"]})
    assert errors(products.GetProducts, {"ids": list(range(1, 202))})
