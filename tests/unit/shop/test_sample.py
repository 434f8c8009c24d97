"""The sample catalog looks like a shop's and fits what products takes."""

import uuid
from collections import Counter

import pytest

from contracts.orders.requests import CreateTaxRate
from contracts.orders.shipping import CreateMethod, CreateZone
from contracts.products.requests import CreateCategory, CreateProduct
from orders.shipping.rules import Member, faults_in, faults_in_zone
from shop.sample import departments, shipping, taxes

CATEGORIES, PRODUCTS = departments.read()


def test_enough_to_browse():
    """At least 220 products on about 30 leaves of a tree of two or three levels."""
    leaves = {product.category for product in PRODUCTS}
    assert len(PRODUCTS) >= 220
    assert len(leaves) >= 25
    assert all(count >= 5 for count in Counter(product.category for product in PRODUCTS).values())
    above = {category.slug: category.parent for category in CATEGORIES}
    for leaf in leaves:
        path = [leaf]
        while above[path[-1]]:
            path.append(above[path[-1]])
        assert 2 <= len(path) <= 3


def test_nothing_comes_twice():
    """SKUs, slugs and names are each one thing's."""
    for keys in (
        [product.sku for product in PRODUCTS]
        + [
            one["sku"] for product in PRODUCTS for one in product.fields["variants"] if "sku" in one
        ],
        [product.fields["name"] for product in PRODUCTS],
        [category.slug for category in CATEGORIES],
    ):
        assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_parents_come_first():
    """Whoever creates the categories in order always has the parent already."""
    seen = {None}
    for category in CATEGORIES:
        assert category.parent in seen
        seen.add(category.slug)


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.sku)
def test_products_are_whole(product):
    """Each is accepted, has something to show, and two sentences to say."""
    loaded = CreateProduct().load(product.fields, partial=("actor",))
    assert loaded["price"] > 1
    assert len(loaded["attributes"]) >= 2
    assert len(loaded["images"]) == 2
    assert loaded["description"].count(". ") + loaded["description"].endswith(".") == 2


def test_categories_are_whole():
    """Each is accepted and says what it holds."""
    for category in CATEGORIES:
        fields = {"name": category.name, "slug": category.slug}
        assert CreateCategory().load(
            fields | {"description": category.description}, partial=("actor",)
        )
        assert category.description.endswith(".")


def stock_of(product):
    return [variant["stock"] for variant in product.fields["variants"]]


def test_fashion_has_sizes_and_colours():
    """Most of it one of the two, some both; each combination is there once, with its own SKU."""
    fashion = [one for one in PRODUCTS if one.sku[:3] in ("WOM", "MEN", "SHO", "BAG", "ACC")]
    named = [{option["name"] for option in one.fields["options"]} for one in fashion]
    assert sum({"Size", "Colour"} <= names for names in named) >= 5
    assert sum(bool(names) for names in named) >= 25
    shirt = next(one for one in fashion if one.sku == "MEN-OXF-01").fields["variants"]
    assert shirt[1] == {
        "sku": "MEN-OXF-01-S-PALE-BLUE",
        "options": {"Size": "S", "Colour": "pale blue"},
        "stock": 5,
        "weight_g": 0,
    }
    assert (len(shirt), sum(variant["stock"] for variant in shirt)) == (10, 47)


def test_some_are_sold_out():
    """The filter by stock has something to hide."""
    sold_out = [product for product in PRODUCTS if sum(stock_of(product)) == 0]
    assert 5 <= len(sold_out) <= 20


def test_zones_and_methods_are_whole():
    """Each is accepted, and no address is in two zones by the same right."""
    members = []
    for zone in shipping.read():
        methods = zone.pop("methods")
        zone = CreateZone().load(zone, partial=("actor",))
        members += [Member.of(**member) for member in zone["members"]]
        for method in methods:
            whole = method | {"zone_id": str(uuid.uuid4())}
            fields = CreateMethod().load(whole, partial=("actor",))
            assert faults_in(fields | {"currency": "EUR"}) == {}
    assert faults_in_zone(members) == {}


def test_all_that_is_sold_has_a_rate_wherever_there_are_rates():
    """What has none would not be taxed there."""
    sold = {product.fields.get("tax_class", "standard") for product in PRODUCTS}
    rates = [CreateTaxRate().load(rate, partial=("actor",)) for rate in taxes.read()]
    countries = {rate["country"] for rate in rates}
    assert sorted((rate["country"], rate["tax_class"]) for rate in rates) == sorted(
        (country, tax_class) for country in countries for tax_class in sold
    )
    assert sold == {"standard", "books"}
