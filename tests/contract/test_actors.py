"""Nobody gets the rights of the system, which are those of an admin, by saying nothing."""

import pytest

from chassis.errors import Forbidden, Invalid
from chassis.fields import ActorField
from products.service import InventoryService, ProductsService
from tests.contract.services import calls

#: Calls that need to know who acts.
WITH_AN_ACTOR = sorted(
    name
    for name, schema in calls().items()
    if schema and isinstance(schema._declared_fields.get("actor"), ActorField)
)

#: What staff or admins do: who makes such a call has to say who that is.
PRIVILEGED = {
    "users.create", "users.update", "users.delete", "users.list",
    "users.rotate_keys", "users.end_sessions", "users.reset_totp", "users.list_audit",
    "users.mark_email_verified",
    "products.create", "products.update", "products.delete", "products.create_category",
    "products.update_category", "products.delete_category", "products.create_variant",
    "products.update_variant", "products.delete_variant", "products.update_option",
    "products.delete_option", "inventory.adjust",
    "orders.update", "orders.hide", "orders.cancel", "orders.list", "orders.get", "orders.timeline",
    "orders.pay", "orders.list_checkouts", "orders.retry_checkout", "orders.undo_checkout",
    "orders.fulfil", "orders.get_fulfilment", "orders.list_fulfilments",
    "orders.update_fulfilment", "orders.cancel_fulfilment", "orders.cancel_items",
    "orders.create_tax_rate", "orders.list_tax_rates", "orders.end_tax_rate",
    "orders.list_shipping_zones", "orders.get_shipping_zone", "orders.create_shipping_zone",
    "orders.update_shipping_zone", "orders.delete_shipping_zone", "orders.list_shipping_methods",
    "orders.get_shipping_method", "orders.create_shipping_method", "orders.update_shipping_method",
    "inventory.relocate", "inventory.create_location", "inventory.update_location",
    "inventory.send_transfer", "inventory.receive_transfer", "inventory.cancel_transfer",
    "inventory.get_transfer", "inventory.list_transfers",
    "payments.refund", "payments.cancel", "payments.get", "payments.list", "payments.reconcile",
    "notifications.send", "notifications.list", "notifications.mark_read",
}  # fmt: skip


def test_every_privileged_call_takes_an_actor():
    """None is left out, and none is new."""
    assert set(WITH_AN_ACTOR) == PRIVILEGED


@pytest.mark.parametrize("name", WITH_AN_ACTOR)
@pytest.mark.parametrize("actor", [{}, {"actor": None}, {"actor": ""}, {"actor": {}}], ids=repr)
def test_an_actor_has_to_be_named(name, actor):
    """Missing or empty is an error that says what to do, before anything is done."""
    faults = calls()[name]().validate(actor)
    assert faults["actor"]
    if actor.get("actor", None) is None:
        assert '"system"' in faults["actor"][0]


CATALOG = {
    "update": {"product_id": 1, "price": "1.00"},
    "delete": {"product_id": 1},
    "create": {"name": "Lamp", "price": "1.00"},
    "create_category": {"name": "Lamps"},
    "update_category": {"category_id": 1, "name": "Lamps"},
    "delete_category": {"category_id": 1},
}
STAFF = {"user_id": "11111111-2222-4333-8444-555555555555", "role": "staff"}


@pytest.fixture
def products(start, call):

    start(ProductsService, InventoryService)
    return call


@pytest.mark.parametrize("method", CATALOG)
def test_the_catalog_is_the_admins(products, method):
    """Over RPC as over HTTP; the service itself looks."""
    with pytest.raises(Forbidden):
        getattr(products.products, method)(**CATALOG[method], actor=STAFF)
    with pytest.raises(Invalid) as caught:
        getattr(products.products, method)(**CATALOG[method], actor=None)
    assert set(caught.value.errors) == {"actor"}


def test_stock_is_the_staffs(products):
    """Customers count nothing."""
    customer = STAFF | {"role": "customer"}
    counted = {"variant_id": 1, "delta": 1, "reason": "x"}
    with pytest.raises(Forbidden):
        products.inventory.adjust(**counted, actor=customer)
