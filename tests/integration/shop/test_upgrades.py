"""Installations with data are brought to the tables of today, and back."""

import datetime
import os
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from chassis.identity import Actor
from contracts.inventory.errors import NotHeld
from orders.order import numbers
from products.stock import ledger, reservation_store
from shop.migrate import create
from shop.packages import ROOT
from tests.integration.inventory import books


class Database:
    """A database that is brought to any version; `run(sql, **values)` gives its rows."""

    def __init__(self, package, url):
        self._alembic = Config()
        self._alembic.set_main_option("script_location", str(ROOT / package / "migrations"))
        self._alembic.attributes["url"] = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def to_before(self, revision):
        """To the version that `revision` was written for."""
        script = ScriptDirectory.from_config(self._alembic)
        before = script.get_revision(revision).down_revision
        with self.engine.connect() as connection:
            is_new = not sa.inspect(connection).has_table("alembic_version")
        (command.upgrade if is_new else command.downgrade)(self._alembic, before)

    def to_head(self):
        command.upgrade(self._alembic, "head")

    def run(self, statement, **values):
        with self.engine.begin() as connection:
            found = connection.execute(sa.text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture
def database(servers):
    """`database("users")`: an empty one of its own."""
    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    made = []

    def make(package):
        made.append(f"upgrade{os.getpid()}_{package}")
        url = server.set(database=made[-1]).render_as_string(hide_password=False)
        create(url)
        return Database(package, url)

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_addresses_that_are_there_are_confirmed(database):
    """Their owners have had mails at them. Whoever a process of the version before registers
    meanwhile has confirmed nothing."""
    users = database("users")
    users.to_before("0005")
    insert = (
        "INSERT INTO users (id, email, password_hash, role, version, created_at)"
        " VALUES (:id, :email, 'x', 'customer', 1, now())"
    )
    users.run(insert, id=uuid.uuid4(), email="old@example.com")
    gone = "INSERT INTO users (id, role, version, created_at, deleted_at)"
    users.run(gone + " VALUES (:id, 'customer', 1, now(), now())", id=uuid.uuid4())
    users.to_head()
    users.run(insert, id=uuid.uuid4(), email="new@example.com")
    found = users.run("SELECT email, email_verified FROM users WHERE email IS NOT NULL")
    assert dict(found) == {"old@example.com": True, "new@example.com": False}
    users.to_before("0005")
    assert users.run("SELECT count(*) FROM users") == [(3,)]


def test_messages_that_are_there_stay_as_they_are(database):
    """And what the version before cannot know becomes what it knows."""
    notifications = database("notifications")
    notifications.to_before("0006")
    insert = (
        "INSERT INTO notifications"
        " (id, user_id, channel, subject, body, status, created_at, claimed_until)"
        " VALUES (:id, :id, 'email', :status, '', :status, now(), now())"
    )
    notifications.run(insert, id=uuid.uuid4(), status="pending")
    notifications.to_head()
    notifications.run(insert, id=uuid.uuid4(), status="suppressed")
    assert notifications.run("SELECT DISTINCT is_security, is_counted FROM notifications") == [
        (False, False)
    ]
    notifications.to_before("0006")
    assert notifications.run(
        "SELECT subject, status, failure_code FROM notifications ORDER BY subject"
    ) == [("pending", "pending", None), ("suppressed", "skipped", "recipient_limit")]


ORDER = """
    INSERT INTO orders (id, user_id, status, payment_status, total, currency, shipping_address,
        fingerprint, created_at, updated_at, expires_at, version)
    VALUES (:id, :id, 'pending', 'unpaid', 1, 'EUR', '{}', '', now(), now(), now(), 1)
"""
CHECKOUT = """
    INSERT INTO checkouts (order_id, user_id, fingerprint, basket, state, started_at, due_at)
    VALUES (:id, :id, '', '{}', 'open', now(), now())
"""


def test_orders_of_before_get_numbers(database):
    """All of them, each its own, and checkouts under way too. The way back is there."""
    orders = database("orders")
    orders.to_before("0004")
    for _ in range(50):
        orders.run(ORDER, id=uuid.uuid4())
    orders.run(CHECKOUT, id=uuid.uuid4())
    orders.to_head()
    rows = orders.run("SELECT number FROM orders UNION ALL SELECT number FROM checkouts")
    made = [number for (number,) in rows]
    assert len(set(made)) == len(made) == 51
    assert [numbers.parse(number) for number in made] == made
    orders.to_before("0004")
    orders.to_head()


CART = "INSERT INTO carts (user_id, version, updated_at) VALUES (:id, 1, now())"
IN_CART = """
    INSERT INTO cart_lines (user_id, variant_id, product_id, quantity, unit_price, currency, name,
        added_at)
    VALUES (:id, 7, 7, 2, 9.99, 'EUR', 'Kettle', now())
"""
RATE = """
    INSERT INTO tax_rates (id, country, tax_class, rate, label, valid, created_at)
    VALUES (:id, 'NL', 'standard', :rate, 'VAT', :valid, now())
"""


def test_tax_rates_and_addresses_of_carts_come_and_go(database):
    """What is in a cart stays; rates that overlap are refused from the first moment on."""
    orders, buyer = database("orders"), uuid.uuid4()
    orders.to_before("0010")
    for statement in (CART, IN_CART):
        orders.run(statement, id=buyer)
    there = orders.run("SELECT variant_id, quantity, unit_price FROM cart_lines")
    for _ in range(2):
        orders.to_head()
        assert orders.run("SELECT address FROM carts") == [(None,)]
        orders.run("""UPDATE carts SET address = '{"country": "NL"}'""")
        orders.run(RATE, id=uuid.uuid4(), rate=19, valid="[2020-01-01, 2026-01-01)")
        orders.run(RATE, id=uuid.uuid4(), rate=21, valid="[2026-01-01,)")
        with pytest.raises(sa.exc.IntegrityError, match="ex_tax_rates_scope_valid"):
            orders.run(RATE, id=uuid.uuid4(), rate=22, valid="[2025-12-31, 2026-01-01)")
        assert orders.run("SELECT variant_id, quantity, unit_price FROM cart_lines") == there
        orders.to_before("0010")
        assert orders.run("SELECT variant_id, quantity, unit_price FROM cart_lines") == there


LINE = """
    INSERT INTO order_lines (order_id, product_id, position, name, quantity, unit_price)
    VALUES (:id, :product, :position, 'Kettle', :quantity, :price)
"""
SOLD = [("processing", "paid"), ("shipped", "paid"), ("delivered", "refunded")]
KNOWN = "SELECT id, status, total FROM orders ORDER BY id"
LINES = """
    SELECT order_id, product_id, name, quantity, unit_price FROM order_lines
    ORDER BY order_id, product_id
"""


def test_orders_of_before_keep_their_totals(database):
    """Without tax or shipping of their own; their lines are those of their only variants, counted
    by what has become of them, and the way back has all that was there."""
    orders = database("orders")
    orders.to_before("0008")
    for status, money in [("pending", "unpaid"), ("cancelled", "refunded"), *SOLD]:
        order = uuid.uuid4()
        orders.run(ORDER, id=order)
        orders.run(LINE, id=order, product=7, position=0, quantity=3, price="0.25")
        orders.run(LINE, id=order, product=2, position=1, quantity=1, price="0.25")
        orders.run(
            "UPDATE orders SET status = :status, payment_status = :money, payment_id = id,"
            " cancel_reason = :reason WHERE id = :id",
            id=order, status=status, money=money,
            reason="why" if status == "cancelled" else None,
        )  # fmt: skip
    cart = "INSERT INTO carts (user_id, version, updated_at) VALUES (:id, 1, now())"
    orders.run(cart, id=order)
    put_in = "INSERT INTO cart_lines (user_id, product_id, quantity, unit_price, currency, name,"
    orders.run(put_in + " added_at) VALUES (:id, 7, 2, 1, 'EUR', 'Kettle', now())", id=order)
    known, lines = orders.run(KNOWN), orders.run(LINES)
    orders.to_head()
    amounts = "SELECT DISTINCT subtotal, net, total, discount, shipping, shipping_tax, tax"
    assert orders.run(amounts + " FROM orders") == [(1, 1, 1, 0, 0, 0, 0)]
    found = orders.run(
        "SELECT status, line, variant_id, order_lines.total, cancelled, shipped"
        " FROM order_lines JOIN orders ON id = order_id ORDER BY status, line"
    )
    first, second = Decimal("0.75"), Decimal("0.25")
    assert found == [
        ("cancelled", 1, 7, first, 3, 0), ("cancelled", 2, 2, second, 1, 0),
        ("delivered", 1, 7, first, 0, 3), ("delivered", 2, 2, second, 0, 1),
        ("pending", 1, 7, first, 0, 0), ("pending", 2, 2, second, 0, 0),
        ("processing", 1, 7, first, 0, 0), ("processing", 2, 2, second, 0, 0),
        ("shipped", 1, 7, first, 0, 3), ("shipped", 2, 2, second, 0, 1),
    ]  # fmt: skip
    assert orders.run("SELECT variant_id, product_id, options FROM cart_lines") == [(7, 7, {})]
    assert (orders.run(KNOWN), orders.run(LINES)) == (known, lines)
    orders.to_before("0008")
    assert (orders.run(KNOWN), orders.run(LINES)) == (known, lines)
    assert orders.run(
        "SELECT position, product_id FROM order_lines WHERE quantity = 3 LIMIT 1"
    ) == [(0, 7)]
    assert orders.run("SELECT product_id, quantity FROM cart_lines") == [(7, 2)]
    orders.to_head()


def test_zones_come_and_go(database):
    """With what is in them; what comes back is empty, and an address in one zone again."""
    orders = database("orders")
    orders.to_before("0009")
    for _ in range(2):
        orders.to_head()
        zone = {"id": uuid.uuid4()}
        orders.run("INSERT INTO shipping_zones VALUES (:id, 'Home', 1)", **zone)
        member = "INSERT INTO zone_members VALUES (:id, :position, 'NL', NULL, '10', '19')"
        orders.run(member, **zone, position=0)
        with pytest.raises(sa.exc.IntegrityError):
            orders.run(member, **zone, position=1)
        orders.to_before("0009")


PRODUCT = """
    INSERT INTO products (sku, name, description, price, currency, images, attributes, version,
        created_at, updated_at, deleted_at)
    VALUES (:sku, :sku, '', 9.5, 'EUR', '["a.jpg"]', '{}', 3, now(), now(), :deleted) RETURNING id
"""
NUMBERS = "SELECT on_hand, reserved, version, {key} FROM stock ORDER BY {key}"


def test_products_of_before_have_one_variant(database):
    """Of their own id, so what is counted and held of them stays as it is. On the way back what was
    made since is a product of its own."""
    products = database("products")
    products.to_before("0009")
    (mug,), (pot,) = (
        products.run(PRODUCT, sku=sku, deleted=deleted)[0]
        for sku, deleted in (("MUG", None), ("POT", "2026-01-01T00:00:00Z"))
    )
    products.run("INSERT INTO stock VALUES (:mug, 5, 2, 7), (:pot, 0, 0, 1)", mug=mug, pot=pot)
    order = {"id": uuid.uuid4(), "mug": mug}
    products.run("INSERT INTO reservations VALUES (:id, 'reserved', now(), now(), now())", **order)
    products.run("INSERT INTO reservation_lines VALUES (:id, :mug, 2, now())", **order)
    products.run(
        "INSERT INTO movements (product_id, kind, delta_on_hand, delta_reserved, reason, at)"
        " VALUES (:mug, 'initial', 5, 0, '', now()), (:mug, 'reserve', 0, 2, '', now())",
        mug=mug,
    )
    before = products.run(NUMBERS.format(key="product_id"))
    products.to_head()
    found = "SELECT id, product_id, sku, price, option_key, deleted_at IS NULL FROM variants"
    assert products.run(found + " ORDER BY id") == [
        (mug, mug, None, None, "", True),
        (pot, pot, None, None, "", False),
    ]
    made = (
        "WITH option AS (INSERT INTO options (product_id, name, position)"
        " VALUES (:mug, 'Size', 1) RETURNING id),"
        " value AS (INSERT INTO option_values (option_id, value, position)"
        " SELECT id, 'XL', 1 FROM option RETURNING id)"
        " INSERT INTO variants (product_id, sku, price, option_key)"
        " SELECT :mug, 'MUG-XL', 12, id::text FROM value RETURNING id"
    )
    ((large,),) = products.run(made, mug=mug)
    assert large == pot + 1
    products.to_before("0009")
    assert [row for row in products.run(NUMBERS.format(key="product_id")) if row[3] != large] == (
        before
    )
    shown = "SELECT id, sku, name, price::text FROM products WHERE deleted_at IS NULL ORDER BY id"
    assert products.run(shown) == [
        (mug, "MUG", "MUG", "9.50"),
        (large, "MUG-XL", "MUG XL", "12.00"),
    ]
    products.to_head()
    assert len(products.run("SELECT * FROM variants WHERE id = product_id")) == 3


def test_what_was_shipped_before_left_in_one_parcel(database):
    """At the moment that the timeline has; what has left in part since has not for the version
    before."""
    orders = database("orders")
    orders.to_before("0008")
    for status, money in [("pending", "unpaid"), *SOLD]:
        order = uuid.uuid4()
        orders.run(ORDER, id=order)
        orders.run(LINE, id=order, product=7, position=0, quantity=3, price="0.25")
        orders.run(LINE, id=order, product=2, position=1, quantity=1, price="0.25")
        orders.run(
            "UPDATE orders SET status = :status, payment_status = :money, payment_id = id"
            " WHERE id = :id",
            id=order, status=status, money=money,
        )  # fmt: skip
    step = "INSERT INTO timeline (order_id, at, kind, cause, actor, detail) SELECT id,"
    orders.run(step + " '2026-01-01Z', 'order', 'shipped', 'staff', '{}' FROM orders")
    orders.run(step + " '2026-01-03Z', 'order', 'delivered', 'staff', '{}' FROM orders")
    orders.to_head()
    parcels = orders.run(
        "SELECT status, location, state, date_part('day', shipped_at),"
        " date_part('day', delivered_at), array_agg(line || 'x' || quantity ORDER BY line)"
        " FROM fulfilments AS f JOIN orders ON orders.id = f.order_id"
        " JOIN fulfilment_lines ON fulfilment_id = f.id GROUP BY 1, 2, 3, 4, 5 ORDER BY status"
    )
    assert parcels == [
        ("delivered", "MAIN", "delivered", 1, 3, ["1x3", "2x1"]),
        ("shipped", "MAIN", "shipped", 1, None, ["1x3", "2x1"]),
    ]
    orders.run(
        "UPDATE orders SET status = 'partially_shipped' WHERE status = 'processing';"
        ' UPDATE timeline SET detail = \'{"before": "processing", "after": "partially_shipped"}\''
    )
    orders.run(
        "UPDATE order_lines SET shipped = 2 FROM orders WHERE orders.id = order_id AND line = 1"
        " AND status = 'partially_shipped'"
    )
    orders.to_before("0012")
    assert orders.run("SELECT count(*) FROM orders WHERE status = 'processing'") == [(1,)]
    assert orders.run("SELECT DISTINCT detail->>'before', detail->>'after' FROM timeline") == [
        ("processing", "processing")
    ]
    orders.to_head()
    assert orders.run(
        "SELECT state, line, quantity FROM fulfilments JOIN orders ON orders.id = order_id"
        " JOIN fulfilment_lines ON fulfilment_id = fulfilments.id"
        " WHERE status = 'partially_shipped'"
    ) == [("shipped", 1, 2)]


def test_stock_of_before_is_at_one_location(database):
    """Nothing moves. What was paid and waits to be shipped is on the books again once inventory is
    told of it; on the way back it is off them, whatever was shipped, cancelled and moved since."""
    products = database("products")
    products.to_before("0012")
    ((mug,),) = products.run(PRODUCT, sku="MUG", deleted=None)
    products.run("INSERT INTO variants (id, product_id) VALUES (:mug, :mug)", mug=mug)
    products.run("INSERT INTO stock VALUES (:mug, 12, 2, 9)", mug=mug)
    held, waits, gone = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    move = (
        "INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason,"
        " at) VALUES (:mug, :kind, :on_hand, :reserved, :order, '', now())"
    )
    products.run(move, mug=mug, kind="initial", on_hand=20, reserved=0, order=None)
    for order, state, quantity in (
        (held, "reserved", 2),
        (waits, "committed", 5),
        (gone, "committed", 3),
    ):
        products.run(
            "INSERT INTO reservations VALUES (:order, :state, '2099-01-01Z', now(), now())",
            order=order, state=state,
        )  # fmt: skip
        until = "2099-01-01Z" if state == "reserved" else None
        products.run(
            "INSERT INTO reservation_lines VALUES (:order, :mug, :quantity, :until)",
            order=order, mug=mug, quantity=quantity, until=until,
        )  # fmt: skip
        products.run(move, mug=mug, kind="reserve", on_hand=0, reserved=quantity, order=order)
        if state == "committed":
            products.run(
                move, mug=mug, kind="commit", on_hand=-quantity, reserved=-quantity, order=order
            )
    products.to_head()
    levels = "SELECT location, on_hand, reserved FROM stock ORDER BY location"
    assert products.run(levels) == [("MAIN", 12, 2)]
    assert books.discrepancies(products.engine) == []
    now = datetime.datetime.now(datetime.UTC)
    products.run("INSERT INTO locations VALUES ('AMS', 'Amsterdam', 'NL', 2, true, 1)")
    move_it = [{"variant_id": mug, "quantity": 1, "from_": "MAIN", "to": "AMS"}]
    for order in (waits, gone):
        with Session(products.engine) as session, pytest.raises(NotHeld):
            reservation_store.relocate(session, order, move_it, Actor.SYSTEM, now)
    with Session(products.engine) as session, session.begin():
        for _ in range(2):
            reservation_store.reopen(session, waits, now)
    assert products.run(levels) == [("MAIN", 17, 7)]
    with Session(products.engine) as session, session.begin():
        ledger.adjust(session, mug, "AMS", 4, None, "found", None, Actor.SYSTEM, now)
        reservation_store.ship(session, waits, uuid.uuid4(), "AMS", {mug: 2}, now)
        reservation_store.cancel_units(session, waits, uuid.uuid4(), {mug: 1}, {}, now)
    assert products.run(levels) == [("AMS", 2, 0), ("MAIN", 17, 4)]
    assert books.discrepancies(products.engine) == []
    products.to_before("0012")
    assert products.run("SELECT variant_id, on_hand, reserved FROM stock") == [(mug, 17, 2)]
    assert sorted(products.run("SELECT order_id, quantity FROM reservation_lines")) == sorted(
        [(held, 2), (waits, 4), (gone, 3)]
    )
    moved = "SELECT order_id, -sum(delta_on_hand), sum(delta_reserved) FROM movements GROUP BY 1"
    assert {row[0]: row[1:] for row in products.run(moved)} == {
        None: (-24, 0), held: (0, 2), waits: (4, 0), gone: (3, 0),
    }  # fmt: skip
    products.to_head()
    assert books.discrepancies(products.engine) == []


def test_what_is_on_its_way_comes_back(database):
    """The version before knows of no transfers: what has not arrived is where it came from."""
    products = database("products")
    products.to_before("0012")
    ((mug,),) = products.run(PRODUCT, sku="MUG", deleted=None)
    products.run("INSERT INTO variants (id, product_id) VALUES (:mug, :mug)", mug=mug)
    products.run("INSERT INTO stock VALUES (:mug, 0, 0, 1)", mug=mug)
    products.to_head()
    products.run("INSERT INTO locations VALUES ('AMS', 'Amsterdam', 'NL', 2, true, 1)")
    now = datetime.datetime.now(datetime.UTC)
    with Session(products.engine) as session, session.begin():
        for location, units in (("AMS", 10), ("MAIN", 1)):
            ledger.adjust(session, mug, location, units, None, "found", None, Actor.SYSTEM, now)
    send = """
        WITH sent AS (
            UPDATE stock SET on_hand = on_hand - :sent WHERE location = 'AMS'
        ),
        came AS (
            UPDATE stock SET on_hand = on_hand + :received WHERE location = 'MAIN'
        ),
        moved AS (
            INSERT INTO movements (variant_id, location, kind, delta_on_hand, delta_reserved,
                cause_id, reason, at)
            VALUES (:mug, 'AMS', 'transfer_out', -:sent, 0, :id, '', now()),
                (:mug, 'MAIN', 'transfer_in', :received, 0, :receipt, '', now())
        ),
        transfer AS (
            INSERT INTO transfers VALUES (:id, 'AMS', 'MAIN', :state, '', now(), now(), 1)
        )
        INSERT INTO transfer_lines VALUES (:id, :mug, :sent, :received)
    """
    for state, sent, received in (("sent", 3, 1), ("sent", 2, 1), ("received", 2, 2)):
        ids = {"id": uuid.uuid4(), "receipt": uuid.uuid4()}
        products.run(send, **ids, mug=mug, state=state, sent=sent, received=received)
    levels = "SELECT location, on_hand FROM stock ORDER BY location"
    assert products.run(levels) == [("AMS", 3), ("MAIN", 5)]
    assert books.discrepancies(products.engine) == []
    products.to_before("0012")
    assert products.run("SELECT on_hand FROM stock") == [(11,)]
    assert products.run("SELECT sum(delta_on_hand) FROM movements") == [(11,)]
    products.to_head()
    assert products.run(levels) == [("MAIN", 11)]
    assert books.discrepancies(products.engine) == []


def test_inventory_is_told_of_what_waits_to_be_shipped(database):
    """Of nothing else, and not by the version before."""
    orders = database("orders")
    orders.to_before("0008")
    waits, gone = uuid.uuid4(), uuid.uuid4()
    for order, status in ((waits, "processing"), (gone, "shipped")):
        orders.run(ORDER, id=order)
        orders.run(
            "UPDATE orders SET status = :status, payment_status = 'paid', payment_id = id"
            " WHERE id = :id",
            id=order, status=status,
        )  # fmt: skip
    orders.to_head()
    told = "SELECT payload FROM outbox WHERE type = 'order_awaits_shipping'"
    assert orders.run(told) == [({"order_id": str(waits)},)]
    orders.to_before("0015")
    assert orders.run(told) == []
