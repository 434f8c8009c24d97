"""Installations with amounts of two places in all currencies get the places of each, and back."""

import contextlib
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command

from tests.support import earlier_installation

#: (before, since) of each service's migration.
VERSIONS = {"products": ("0010", "0011"), "orders": ("0013", "0014"), "payments": ("0006", "0007")}
WRITTEN = {"EUR": "9.90", "JPY": "1200.00", "KWD": "9.50"}
EXACT = {"EUR": "9.90", "JPY": "1200", "KWD": "9.500"}
#: In which the version before can read them: what it could not write stays as it is.
BACK = {"EUR": "9.90", "JPY": "1200.00", "KWD": "9.500"}


@pytest.fixture
def database(servers):
    """`database("products")`: `(run, up, down)` for a database of the version before."""
    with contextlib.ExitStack() as stack:

        def make(package):
            engine, alembic = stack.enter_context(earlier_installation(servers, package))
            before, since = VERSIONS[package]
            command.upgrade(alembic, before)

            def run(statement, **values):
                with engine.begin() as connection:
                    found = connection.execute(sa.text(statement), values)
                    return [tuple(row) for row in found] if found.returns_rows else []

            up, down = (command.upgrade, since), (command.downgrade, before)
            return run, *(lambda way=way: way[0](alembic, way[1]) for way in (up, down))

        yield make


def test_prices(database):
    """Of all currencies; what nobody could pay is rounded."""
    run, up, down = database("products")
    insert = (
        "INSERT INTO products (sku, name, description, price, currency, images, attributes,"
        " version, created_at, updated_at) VALUES (:sku, '', '', :price, :currency, '[]', '{}', 1,"
        " now(), now())"
    )
    for currency, price in WRITTEN.items():
        run(insert, sku=currency, price=price, currency=currency)
    run(insert, sku="odd", price="9.50", currency="JPY")
    up()
    shown = "SELECT sku, price::text FROM products"
    assert dict(run(shown)) == EXACT | {"odd": "10"}
    run(insert, sku="fine", price="9.995", currency="KWD")
    with pytest.raises(sa.exc.IntegrityError, match="ck_products_price_in_coins"):
        run(insert, sku="wrong", price="9.995", currency="EUR")
    down()
    assert dict(run(shown)) == BACK | {"odd": "10.00", "fine": "9.995"}
    up()
    assert dict(run(shown)) == EXACT | {"odd": "10", "fine": "9.995"}


def test_prices_of_variants(database):
    """Their own, in the currency of their products; null stays so."""
    run, up, down = database("products")
    for currency, price in WRITTEN.items():
        run(
            "WITH product AS ("
            " INSERT INTO products (sku, name, description, price, currency, images, attributes,"
            " version, created_at, updated_at) VALUES (:currency, '', '', 1, :currency, '[]', '{}',"
            " 1, now(), now()) RETURNING id)"
            " INSERT INTO variants (product_id, sku, option_key, price)"
            " SELECT id, currency || size, size, CASE WHEN size <> '3' THEN price END FROM product,"
            " (VALUES (:currency, '1', :price), (:currency, '2', 9.50), (:currency, '3', 0))"
            " AS each (currency, size, price)",
            currency=currency,
            price=Decimal(price),
        )
    shown = "SELECT sku, price::text FROM variants WHERE option_key = :size"
    for _ in range(2):
        up()
        assert {sku[:3]: price for sku, price in run(shown, size="1")} == EXACT
        assert dict(run(shown, size="2")) == {"EUR2": "9.50", "JPY2": "10", "KWD2": "9.500"}
        assert {price for _, price in run(shown, size="3")} == {None}
        down()
        assert {sku[:3]: price for sku, price in run(shown, size="1")} == BACK


def test_orders(database):
    """With their lines and taxes, and carts and methods; a total never changes."""
    run, up, down = database("orders")
    for currency, price in WRITTEN.items():
        one = {"id": uuid.uuid4(), "currency": currency, "price": price}
        run(
            "INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total,"
            " currency, prices_include_tax, shipping_address, fingerprint, created_at, updated_at,"
            " expires_at, version) VALUES (:id, :id, 'pending', 'unpaid', :price, :price, :price,"
            " :currency, true, '{}', '', now(), now(), now(), 1)",
            **one,
        )
        run(
            "INSERT INTO order_lines (order_id, line, variant_id, product_id, name, quantity,"
            " unit_price, net, total) VALUES (:id, 1, 1, 1, '', 1, :price, :price, :price)",
            **one,
        )
        run(
            "INSERT INTO order_taxes (order_id, tax_class, rate, label, taxable, amount)"
            " VALUES (:id, 'standard', 0, '', :price, 0)",
            **one,
        )
        run("INSERT INTO carts (user_id, version, updated_at) VALUES (:id, 1, now())", **one)
        run(
            "INSERT INTO cart_lines (user_id, variant_id, product_id, quantity, unit_price,"
            " currency, name, added_at) VALUES (:id, 1, 1, 1, :price, :currency, '', now())",
            **one,
        )
    odd = uuid.uuid4()
    run(
        "INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total, currency,"
        " prices_include_tax, shipping_address, cancel_reason, fingerprint, created_at, updated_at,"
        " expires_at, version) VALUES (:id, :id, 'cancelled', 'unpaid', 9.5, 9.5, 9.5, 'JPY', true,"
        " '{}', 'expired', '', now(), now(), now(), 1)",
        id=odd,
    )
    amounts = (
        "SELECT orders.currency, orders.total::text, orders.tax::text, order_lines.total::text,"
        " order_lines.refunded::text, order_taxes.taxable::text, cart_lines.unit_price::text"
        " FROM orders JOIN order_lines ON order_lines.order_id = orders.id"
        " JOIN order_taxes ON order_taxes.order_id = orders.id"
        " JOIN cart_lines ON cart_lines.user_id = orders.user_id"
    )
    nothing = {"EUR": "0.00", "JPY": "0", "KWD": "0.000"}
    up()
    assert {row[0]: row[1:] for row in run(amounts)} == {
        code: (price, nothing[code], price, nothing[code], price, price)
        for code, price in EXACT.items()
    }
    assert run("SELECT total::text FROM orders WHERE id = :id", id=odd) == [("9.50",)]
    down()
    assert {row[0]: row[3] for row in run(amounts)} == BACK
    assert {row[0]: row[1] for row in run(amounts)} == BACK


def test_payments(database):
    """And what of them went back; the accounts of the ledger say the same."""
    run, up, down = database("payments")
    for currency, amount in WRITTEN.items():
        one = {"id": uuid.uuid4(), "currency": currency, "amount": amount}
        run(
            "INSERT INTO payments (id, order_id, user_id, key, provider, status, amount, captured,"
            " currency, created_at, calling_until, next_check_at) VALUES (:id, :id, :id, '',"
            " 'simulator', 'succeeded', :amount, :amount, :currency, now(), now(), now())",
            **one,
        )
        run(
            "INSERT INTO ledger_entries (payment_id, order_id, kind, debit, credit, amount,"
            " currency, provider, provider_reference, at) VALUES (:id, :id, 'capture', 'provider',"
            " 'order', :amount, :currency, 'simulator', :currency, now())",
            **one,
        )
    balances = "SELECT currency, account, balance FROM ledger_balances ORDER BY 1, 2"
    before = run(balances)
    shown = "SELECT currency, captured::text FROM payments"
    up()
    assert dict(run(shown)) == EXACT
    assert run(balances) == before
    down()
    assert dict(run(shown)) == BACK
    assert run(balances) == before
