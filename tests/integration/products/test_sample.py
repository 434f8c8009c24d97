"""The sample data come in once and change nothing that is there."""

import time

import pytest

from orders.service import OrdersService
from products.service import InventoryService, ProductsService
from shop import sample
from users.service import UsersService


@pytest.fixture
def load(start, call, config):
    """`load()`: bring the sample data into the running services of a demo; the lines it said."""
    services = ProductsService, InventoryService, UsersService, OrdersService
    start(*services, users={"sample_accounts": True})

    def run(**options):
        lines = []
        sample.load(config, lines.append, **options)
        return lines

    return run


def everything(call):
    items, cursor = [], None
    while True:
        page = call.products.list(limit=100, sort="name", cursor=cursor)
        items, cursor = items + page["items"], page["next"]
        if cursor is None:
            return items


def test_a_shop_to_browse(load, call):
    """Departments lead to products, search finds them, stock is there."""
    assert load()[-1] == "sample data: 239 of 239 products"
    assert len(everything(call)) == 239
    tables = call.products.list(category="lighting", search="lamp", in_stock=True)["items"]
    assert {"Jointed Desk Lamp", "Arc Floor Lamp"} <= {item["name"] for item in tables}
    assert call.products.list(search="keybaord")["items"][0]["name"].count("Keyboard") == 1
    assert call.users.list()["items"] == []


def test_again_is_quick_and_changes_nothing(load, call):
    """The second time it only looks, whatever was changed, added or deleted meanwhile."""
    load()
    kettle = call.products.list(search="gooseneck")["items"][0]
    call.products.update(product_id=kettle["id"], price="1.00", name="My Kettle")
    lamp = call.products.list(search="banker")["items"][0]
    call.products.delete(product_id=lamp["id"])
    call.products.create(name="Mine", price="2.00")
    before = everything(call), call.products.list_categories()
    began = time.monotonic()
    load()
    assert time.monotonic() - began < 5
    assert (everything(call), call.products.list_categories()) == before


def test_what_was_interrupted_is_completed(load, call, monkeypatch):
    """A load that broke off goes on where it was."""
    from shop.sample import departments

    categories, products = departments.read()
    monkeypatch.setattr(departments, "read", lambda: (categories, products[100:120]))
    load()
    monkeypatch.undo()
    load()
    skus = [item["sku"] for item in everything(call)]
    assert sorted(skus) == sorted(product.sku for product in products)


def test_a_shop_that_is_taxed(load, call):
    """Books less than the rest; abroad nothing. What has ended or was changed stays so."""
    assert load()[0] == "sample data: 36 tax rates"
    rates = call.orders.list_tax_rates(country="DE")["items"]
    assert {one["tax_class"]: one["rate"] for one in rates} == {"standard": "19", "books": "7"}
    assert {one["reason"] for one in call.orders.list_tax_rates(country="CH")["items"]} == {
        "export"
    }
    (book, *_) = call.products.list(search="lighthouse", limit=1)["items"]
    assert book["tax_class"] == "books"
    call.orders.end_tax_rate(tax_rate_id=rates[0]["id"])
    before = call.orders.list_tax_rates(limit=100)
    load()
    assert call.orders.list_tax_rates(limit=100) == before


def test_a_shop_that_ships(load, call):
    """To Germany and everywhere else, free from so much on. What was changed stays, and
    a zone of the shop's own in place of one."""
    assert "sample data: 16 shipping methods" in load()
    germany = next(
        zone for zone in call.orders.list_shipping_zones()["items"] if zone["name"] == "Germany"
    )
    methods = call.orders.list_shipping_methods(zone_id=germany["id"])["items"]
    assert [one["code"] for one in methods] == ["economy", "express", "freight", "standard"]
    cheaper = call.orders.update_shipping_method(method_id=methods[3]["id"], price="3.90")
    load()
    assert call.orders.get_shipping_method(method_id=cheaper["id"]) == cheaper
    call.orders.delete_shipping_zone(zone_id=germany["id"])
    mine = call.orders.create_shipping_zone(name="Mine", members=[{"country": "DE"}])
    before = call.orders.list_shipping_methods(limit=100)
    load()
    assert call.orders.list_shipping_methods(limit=100) == before
    assert call.orders.list_shipping_methods(zone_id=mine["id"])["items"] == []


def test_a_shop_with_two_warehouses(load, call, monkeypatch):
    """A third of the stock lies in the second; that of products that were there stays."""
    from shop.sample import departments

    categories, products = departments.read()
    monkeypatch.setattr(departments, "read", lambda: (categories, products[:40]))
    mine = call.products.create(name="Mine", price="2.00", stock=30)
    assert "sample data: a warehouse in Amsterdam" in load()
    skillet = next(item for item in everything(call) if item["sku"] == "COO-SKL-26")

    def there(product):
        levels = call.inventory.get(variant_id=product["id"])["locations"]
        return {level["location"]: level["on_hand"] for level in levels}

    assert (there(skillet), skillet["available"]) == ({"MAIN": 23, "AMS": 11}, 34)
    assert there(mine) == {"MAIN": 30}
    call.inventory.adjust(variant_id=skillet["id"], location="AMS", on_hand=0, reason="x")
    load()
    assert (there(skillet), there(mine)) == ({"MAIN": 23, "AMS": 0}, {"MAIN": 30})
    states = [one["state"] for one in call.inventory.list_transfers()["items"]]
    assert set(states) == {"received"}


def test_demo_accounts_on_demand(load, call):
    """One of each role, who can sign in; they too are made only once."""
    load(accounts=True)
    users = call.users.list()["items"]
    assert {(user["email"], user["role"]) for user in users} == {
        ("admin@example.com", "admin"),
        ("staff@example.com", "staff"),
        ("customer@example.com", "customer"),
    }
    for user in users:
        assert call.users.login(email=user["email"], password="demo-Passw0rd")["access_token"]
    assert load(accounts=True) == []
    assert len(call.users.list()["items"]) == 3
