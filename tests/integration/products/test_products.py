"""Products: made, shown, changed, taken off the shelf."""

from decimal import Decimal

import eventlet
import pytest
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from contracts.products import answers
from products.catalog import store
from tests.support import until_rival_waits

KETTLE = {
    "sku": "KET-1",
    "name": "Gooseneck Kettle",
    "description": "Pours in a thin stream.",
    "price": "64.00",
    "currency": "EUR",
    "images": ["https://images.example.com/ket-1.jpg"],
    "attributes": {"colour": "black", "litres": 0.9},
    "tax_class": "reduced",
}


def test_a_product_is_shown_as_it_was_made(products, category):
    """Create and get answer the same, in the shape that others rely on."""
    kitchen = category("Kitchen")
    made = products.create(**KETTLE, category_id=kitchen, stock=3)
    assert products.get(product_id=made["id"]) == made
    assert {**made, **KETTLE, "category_id": kitchen, "available": 3, "version": 1} == made
    answers.ProductDetail().load(made)


def test_what_is_not_given_is_made_up(products):
    """Name and price are enough; the SKU is random, the currency a setting."""
    made = products.create(name="Mug", price="9.5")
    assert made["sku"].startswith("P-")
    assert (made["price"], made["currency"], made["available"]) == ("9.50", "EUR", 0)
    assert (made["category_id"], made["tax_class"]) == (None, "standard")


def test_a_sku_is_used_once(products):
    """The second product with a SKU is refused, even after the first was deleted."""
    first = products.create(**KETTLE)
    assert_sku_taken(products)
    products.delete(product_id=first["id"])
    assert_sku_taken(products)


def assert_sku_taken(products):
    with pytest.raises(Conflict) as refused:
        products.create(**KETTLE)
    assert refused.value.code == "already_exists"
    assert refused.value.data == {"field": "sku"}


def test_an_update_changes_what_it_names(products, shelf):
    """Other fields stay, and the version goes up with each change."""
    mug = shelf("Mug", price="9.50")
    changed = products.update(product_id=mug["id"], price="8.00", attributes={"colour": "red"})
    assert changed["updated_at"] > mug["updated_at"]
    assert changed == mug | {
        "price": "8.00",
        "attributes": {"colour": "red"},
        "version": 2,
        "updated_at": changed["updated_at"],
        "variants": [mug["variants"][0] | {"price": "8.00"}],
    }
    assert products.update(product_id=mug["id"]) == changed


def test_a_price_fits_its_currency(products, shelf):
    """Nobody can pay 9.50 yen: refused when made and when changed, price or currency."""
    yen = products.create(name="Cup", price="950", currency="JPY")
    mug = shelf("Mug", price="9.50")
    for refused in (
        lambda: products.create(name="Cup", price="9.50", currency="JPY"),
        lambda: products.update(product_id=yen["id"], price="9.50"),
        lambda: products.update(product_id=mug["id"], currency="JPY"),
    ):
        with pytest.raises(Invalid) as fault:
            refused()
        assert fault.value.errors == {"price": ["JPY has 0 decimal places."]}
    assert products.get(product_id=yen["id"]) == yen
    assert products.update(product_id=yen["id"], price="9.50", currency="KWD")["price"] == "9.500"
    assert products.update(product_id=mug["id"], price="9", currency="JPY")["currency"] == "JPY"


def test_a_stale_version_is_refused(products, shelf):
    """Whoever changed first wins; the other has to look again."""
    mug = shelf("Mug")
    products.update(product_id=mug["id"], version=1, price="8.00")
    with pytest.raises(PreconditionFailed):
        products.update(product_id=mug["id"], version=1, price="7.00")
    assert products.get(product_id=mug["id"])["price"] == "8.00"


def test_of_two_updates_at_once_one_is_stale(engine, products, shelf, clock):
    """Two editors who saw the same version do not overwrite each other, however close they are."""
    mug = shelf("Mug")
    with Session(engine) as session, session.begin():
        store.change(session, mug["id"], {"price": Decimal("7.00")}, 1, clock())
        other = eventlet.spawn(products.update, product_id=mug["id"], version=1, price="8.00")
        until_rival_waits(session)
    with pytest.raises(PreconditionFailed):
        other.wait()
    assert products.get(product_id=mug["id"])["price"] == "7.00"


def test_a_deleted_product_is_gone(products, shelf, names):
    """Neither lists nor get nor get_many show it, and it can't be changed or deleted again."""
    mug, pot = shelf("Mug"), shelf("Pot")
    products.delete(product_id=mug["id"])
    assert names() == ["Pot"]
    assert names(search="mug") == []
    assert products.get_many(ids=[mug["id"], pot["id"]])["items"] == [listed(pot)]
    for gone in (products.get, products.update, products.delete):
        with pytest.raises(NotFound) as refused:
            gone(product_id=mug["id"])
        assert refused.value.code == "product_not_found"


def listed(product):
    """The product as lists have it: without its variants."""
    return {name: product[name] for name in answers.Product().fields}


def test_many_by_id_or_sku(products, shelf):
    """Known ones come, unknown ones are left out; ids may repeat."""
    mug, pot = shelf("Mug", sku="MUG-1"), shelf("Pot", sku="POT-1")
    by_ids = products.get_many(ids=[pot["id"], mug["id"], mug["id"], 999])["items"]
    assert sorted(by_ids, key=lambda item: item["id"]) == [listed(mug), listed(pot)]
    assert products.get_many(skus=["POT-1", "NONE"])["items"] == [listed(pot)]
    assert products.get_many(ids=[]) == {"items": []}


def test_an_unknown_category_is_refused(products, shelf):
    """A product hangs on a category that exists, or on none."""
    for attempt in (
        lambda: products.create(**KETTLE, category_id=99),
        lambda: products.update(product_id=shelf("Mug")["id"], category_id=99),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert list(refused.value.errors) == ["category_id"]


@pytest.mark.parametrize("product_id", [2**63 - 1, 1])
def test_unknown_ids(products, product_id):
    """An id that nobody has is not found, however large."""
    with pytest.raises(NotFound):
        products.get(product_id=product_id)


def test_refusals_show_no_internals(products, shelf):
    """What the caller is told holds no table, constraint or SQL."""
    shelf("Mug", sku="MUG-1")
    for attempt in (
        lambda: shelf("Mug", sku="MUG-1"),
        lambda: shelf("Mug", category_id=99),
        lambda: products.get(product_id=99),
    ):
        with pytest.raises(Fault) as refused:
            attempt()
        told = f"{refused.value} {refused.value.data}".lower()
        assert not any(word in told for word in ("uq_", "fk_", "insert", "psycopg", "products."))
