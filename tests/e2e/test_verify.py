"""`shop verify`: agrees with a shop's books, and finds every way in which they can be wrong."""

import contextlib
import re

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from chassis import config as configuration
from shop.cli import shop as command
from shop.verify import INVARIANTS, Books, events
from tests.e2e.shop import running_anew
from tests.support import eventually


@pytest.fixture(scope="module")
def config(new_vhost, databases, tmp_path_factory):
    """Of a shop with new books that has closed after a day of sales: kept, cancelled, refunded in
    part, failed, not paid yet, shipped in part, delivered."""
    outbox = tmp_path_factory.mktemp("outbox")
    with running_anew("verify", new_vhost, databases, outbox) as shop:
        buyer, staff = shop.customer(), shop.employee("staff")
        product = shop.product(stock=50, price="9.99")
        vat = {"country": "NL", "rate": "21", "label": "VAT 21 %"}
        shop.admin.post("/api/tax-rates", vat, 201)
        for fate in ("keep", "cancel", "refund", "decline", "leave", "ship", "deliver"):
            order = shop.order(buyer, product, quantity=2)
            if fate == "leave":
                continue
            payment = shop.pay(buyer, order, "tok_declined" if fate == "decline" else "tok_visa")
            if fate == "cancel":
                buyer.post(f"/api/orders/{order['id']}/cancel", {})
            if fate == "ship":
                part = {"items": [{"line": 1, "quantity": 1}]}
                staff.post(f"/api/orders/{order['id']}/fulfilments", part, 201)
            if fate == "deliver":
                for status in ("shipped", "delivered"):
                    staff.patch(f"/api/orders/{order['id']}", {"status": status})
            if fate == "refund":
                refund = {"amount": "1.00", "reason": "scratched"}
                staff.post(f"/api/payments/{payment['id']}/refund", refund)
        here = {"name": "Home", "members": [{"country": "NL"}]}
        zone = shop.admin.post("/api/shipping-zones", here, 201)
        method = {"zone_id": zone["id"], "code": "parcel", "name": "Parcel", "price": "4.95"}
        shop.admin.post("/api/shipping-methods", method, 201)
        shop.pay(buyer, shop.order(buyer, product, shipping_method="parcel"))
        shop.admin.post("/api/locations", {"code": "AMS", "name": "Amsterdam"}, 201)
        moved = {"from": "MAIN", "to": "AMS"}
        moved |= {"items": [{"variant_id": product["id"], "quantity": 4}]}
        sent = staff.post("/api/transfers", moved, 201)
        part = {"items": [{"variant_id": product["id"], "quantity": 3}]}
        staff.post(f"/api/transfers/{sent['id']}/receive", part)
        with Books(shop.config) as books:
            eventually(lambda: at_rest(books), timeout=60)
    return shop.config


@pytest.fixture
def tampered(config):
    """`tampered("orders", "UPDATE ...")`: books of which one is a copy where that was done."""
    with contextlib.ExitStack() as stack:

        def tamper(package, statement):
            url = sa.make_url(configuration.database_url(config, package))
            copy = url.set(database=f"{url.database}_wrong")
            server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
            drop = f"DROP DATABASE IF EXISTS {copy.database} WITH (FORCE)"

            def run(engine, *statements):
                with engine.begin() as connection:
                    for one in statements:
                        connection.execute(sa.text(one))
                engine.dispose()

            run(server, drop, f"CREATE DATABASE {copy.database} TEMPLATE {url.database}")
            stack.callback(run, server, drop)
            run(sa.create_engine(copy), statement)
            copied = {package: copy.render_as_string(hide_password=False)}
            return stack.enter_context(Books(config | {"DATABASES": copied}))

        yield tamper


def at_rest(books):
    """All rules hold, and nothing is under way that would be cut off when the shop closes."""
    before = events.recorded(books)
    mails = books.value(
        "notifications", "SELECT count(*) FROM notifications WHERE status = 'pending'"
    )
    return not mails and not broken(books) and events.recorded(books) == before


def broken(books):
    """What breaks each rule now, by its name; rules that hold are left out."""
    found = {each.name: each.check(books).violations for each in INVARIANTS}
    return {name: violations for name, violations in found.items() if violations}


#: What could be wrong: in whose books, how it comes about, which rule tells.
WRONGS = {
    "a product without a variant": (
        "products",
        "UPDATE variants SET deleted_at = now()",
        "variants fit their products",
    ),
    "a variant of nothing": (
        "products",
        "UPDATE products SET deleted_at = now()",
        "variants fit their products",
    ),
    "a value of nothing": (
        "products",
        "UPDATE variants SET option_key = '4711'",
        "variants fit their products",
    ),
    "a counter": ("products", "UPDATE stock SET on_hand = on_hand + 1", "stock adds up"),
    "a hold": (
        "products",
        "UPDATE reservation_lines SET held_until = now() + interval '1 hour'"
        " WHERE held_until IS NULL AND shipped + cancelled < quantity",
        "stock adds up",
    ),
    "sold what was not there": (
        "products",
        "INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, reason, at)"
        " SELECT variant_id, 'adjust', delta, 0, 'x', now()"
        " FROM stock, unnest(ARRAY[-1000, 1000]) AS delta",
        "never oversold",
    ),
    "sold twice": (
        "products",
        "INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason,"
        " at) SELECT variant_id, kind, delta_on_hand, 0, order_id, reason, at FROM movements"
        " WHERE kind = 'ship' LIMIT 1",
        "nothing sold twice",
    ),
    "lost on the way": (
        "products",
        "UPDATE transfer_lines SET sent = sent + 1",
        "nothing vanishes on the way",
    ),
    "sold for nothing": (
        "products",
        "UPDATE reservations SET state = 'committed' WHERE state = 'reserved'",
        "sold is what was ordered",
    ),
    "held for ever": (
        "products",
        "UPDATE reservations SET expires_at = now() - interval '1 hour' WHERE state = 'reserved'",
        "nothing held for ever",
    ),
    "a parcel that left twice": (
        "orders",
        "UPDATE fulfilment_lines SET quantity = quantity + 1"
        " WHERE fulfilment_id IN (SELECT id FROM fulfilments WHERE state = 'shipped')",
        "what left is what was sold",
    ),
    "a parcel that was not booked": (
        "products",
        "ALTER TABLE movements DISABLE TRIGGER movements_are_append_only;"
        " DELETE FROM movements WHERE id = (SELECT min(id) FROM movements WHERE kind = 'ship')",
        "what left is what was sold",
    ),
    "a parcel from elsewhere": (
        "orders",
        "UPDATE fulfilments SET location = 'ELSEWHERE'",
        "what left is what was sold",
    ),
    "packed and shipped": (
        "orders",
        "UPDATE fulfilments SET state = 'packing', shipped_at = NULL WHERE state = 'shipped'",
        "what left is what was sold",
    ),
    "a status": (
        "orders",
        "UPDATE orders SET status = 'delivered' WHERE status = 'partially_shipped'",
        "status follows the parcels",
    ),
    "a parcel that has not arrived": (
        "orders",
        "UPDATE fulfilments SET state = 'shipped', delivered_at = NULL WHERE state = 'delivered'",
        "status follows the parcels",
    ),
    "a key": (
        "orders",
        "ALTER TABLE orders DROP CONSTRAINT uq_orders_user_id_idempotency_key;"
        " UPDATE orders SET idempotency_key = 'again'",
        "one order per key",
    ),
    "a total": ("orders", "UPDATE order_lines SET quantity = quantity + 1", "parts are wholes"),
    "a rate": ("orders", "UPDATE order_taxes SET rate = rate + 1", "tax adds up"),
    "a tax": ("orders", "UPDATE order_taxes SET amount = amount + 0.01", "tax adds up"),
    "a tax too few": ("orders", "DELETE FROM order_taxes", "tax adds up"),
    "a tax too many": (
        "orders",
        "INSERT INTO order_taxes SELECT order_id, 'eco', 10, 'Eco', NULL, 1, 0.10 FROM order_taxes",
        "tax adds up",
    ),
    "a tax of another class": (
        "orders",
        "UPDATE order_lines SET tax_class = 'books'",
        "tax adds up",
    ),
    "what shipping is taxed as": (
        "orders",
        "UPDATE orders SET shipping_tax_class = 'books' WHERE shipping_tax > 0",
        "tax adds up",
    ),
    "a state": (
        "orders",
        "UPDATE orders SET status = 'shipped' WHERE status = 'processing'",
        "history leads here",
    ),
    "news": (
        "orders",
        "INSERT INTO timeline (order_id, at, kind, cause, actor, detail) SELECT order_id, at, kind,"
        " cause, actor, detail FROM timeline WHERE kind = 'payment' LIMIT 1",
        "history leads here",
    ),
    "an order": (
        "orders",
        "UPDATE receipts SET refunded = refunded + 1 WHERE refunded > 0",
        "money matches orders",
    ),
    "a second payment": (
        "payments",
        "DROP INDEX uq_payments_order_id_active;"
        " UPDATE payments SET order_id = (SELECT order_id FROM payments LIMIT 1)",
        "charged once",
    ),
    "a refund": (
        "payments",
        "ALTER TABLE payments DROP CONSTRAINT ck_payments_never_more_back_than_taken;"
        " UPDATE payments SET refunded = captured + 1 WHERE captured > 0",
        "never more back than taken",
    ),
    "a refund that was not given": (
        "payments",
        "UPDATE refunds SET key = 'lost' WHERE key LIKE 'request-%';"
        " UPDATE payments SET refunded = 0, status = 'succeeded'",
        "asked back, gone back",
    ),
    "more than was asked back": (
        "orders",
        "UPDATE refund_requests SET amount = amount - 0.01",
        "asked back, gone back",
    ),
    "a price of too many places": (
        "products",
        "UPDATE products SET price = price + 0.000",
        "amounts fit their currency",
    ),
    "an amount of too few places": (
        "orders",
        "UPDATE order_lines SET unit_price = 1, discount = 0, net = 1, tax = 0, total = 1",
        "amounts fit their currency",
    ),
    "a payment of too many places": (
        "payments",
        "UPDATE payments SET amount = amount + 0.000",
        "amounts fit their currency",
    ),
    "an account": (
        "payments",
        "ALTER TABLE ledger_entries DISABLE TRIGGER append_only;"
        " ALTER TABLE ledger_entries DROP CONSTRAINT ck_ledger_entries_accounts;"
        " UPDATE ledger_entries SET debit = 'pocket' WHERE kind = 'refund'",
        "accounts add up",
    ),
    "a dispute that was won and never lost": (
        "payments",
        "INSERT INTO ledger_entries (payment_id, order_id, kind, debit, credit, amount, currency,"
        " provider, provider_reference, at) SELECT payment_id, order_id, 'dispute_reversed',"
        " 'provider', 'disputed', amount, currency, provider, provider_reference, at"
        " FROM ledger_entries WHERE kind = 'capture'",
        "accounts add up",
    ),
    "a capture": (
        "payments",
        "UPDATE simulator_charges SET amount = amount + 1, captured = captured + 1"
        " WHERE status = 'succeeded'",
        "provider agrees",
    ),
    "a refund of theirs": (
        "payments",
        "UPDATE simulator_charges SET refunded = refunded - 0.5 WHERE refunded > 0",
        "provider agrees",
    ),
    "a charge of nobody": (
        "payments",
        "INSERT INTO simulator_charges (key, reference, status, amount, captured, currency,"
        " created_at) VALUES ('x', 'x', 'succeeded', 1, 1, 'EUR', now())",
        "provider agrees",
    ),
    "a dispute that they do not have": (
        "payments",
        "INSERT INTO ledger_entries (payment_id, order_id, kind, debit, credit, amount, currency,"
        " provider, provider_reference, at) SELECT payment_id, order_id, 'dispute', 'disputed',"
        " 'provider', amount, currency, provider, provider_reference, at FROM ledger_entries"
        " WHERE kind = 'capture'",
        "provider agrees",
    ),
    "an event": (
        "orders",
        "UPDATE outbox SET sent_at = NULL, due_at = now() + interval '1 hour'"
        " WHERE id = (SELECT min(id) FROM outbox)",
        "every event published",
    ),
    "a handler": (
        "notifications",
        "DELETE FROM inbox WHERE event_id = (SELECT event_id FROM inbox LIMIT 1)",
        "every event applied once",
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_every_wrong_is_found(tampered, wrong):
    """Books that someone has tampered with are not right any more, and the rule says which."""
    package, statement, rule = WRONGS[wrong]
    assert broken(tampered(package, statement))[rule]


def test_what_left_before_there_was_a_handler_is_not_missed(tampered):
    """As after the upgrade that brings it; what comes after its first event is."""
    these = "DELETE FROM inbox WHERE handler = 'inventory.on_order_paid'"
    assert not broken(tampered("products", these))
    first = "(SELECT min(handled_at) FROM inbox WHERE handler = 'inventory.on_order_paid')"
    (missed, *_) = broken(tampered("products", f"{these} AND handled_at > {first}")).values()
    assert len(missed) == 5


def test_each_rule_has_a_wrong():
    """A new rule is to be seen failing."""
    assert {rule for _, _, rule in WRONGS.values()} == {each.name for each in INVARIANTS}


def test_without_databases_the_command_cannot_tell(monkeypatch):
    """One line, and another status than that of books that are wrong."""
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2://nobody@127.0.0.1:1/shop")
    result = CliRunner().invoke(command, ["verify", "--patience", "0"])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    which = r"shop: [^\n]+\n"
    assert re.fullmatch(which + r"Error: the databases do not answer: [^\n]+\n", result.output)


def test_the_command_says_what_is_wrong(config, tampered, monkeypatch):
    """A table of the rules, a line for each violation, and a status that scripts can use."""
    monkeypatch.setenv("DATABASE_URL", config["DATABASE_URL"])
    result = CliRunner().invoke(command, ["verify", "--patience", "0"])
    assert result.exit_code == 0, result.output
    assert all(each.name in result.output for each in INVARIANTS)
    tampered("orders", WRONGS["a total"][1])
    wrong = sa.make_url(configuration.database_url(config, "orders"))
    wrong = wrong.set(database=f"{wrong.database}_wrong")
    monkeypatch.setenv("ORDERS_DATABASE_URL", wrong.render_as_string(hide_password=False))
    result = CliRunner().invoke(command, ["verify", "--patience", "0"])
    assert result.exit_code == 1
    assert re.search(r"parts are wholes: order [0-9a-f-]{36}: subtotal ", result.output)
