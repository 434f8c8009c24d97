"""Chaos can fail: each guard is switched off in turn, and the books show it.

It takes minutes, so `make guards` runs it.
"""

import pathlib

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from shop.chaos.own_shop import private_shop
from shop.chaos.run import Aim, Run
from shop.verify import INVARIANTS, Books

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

HOOK = pathlib.Path(__file__).parent / "hook"

#: What is switched off: code by its name, constraints by statements; and the rules that must tell.
#: The lock goes with the constraints behind it: where stock is taken step by step, with one of both
#: left nothing is oversold; for an order that is new, the constraint is what refuses. So do keys:
#: whoever enters a checkout looks for what its key has made, and the constraints hold if not.
GUARDS = {
    "inbox": ([], {"history leads here"}),
    "outbox": ([], {"every event applied once"}),
    "lock": (
        [
            ("products", f"ALTER TABLE stock DROP CONSTRAINT ck_stock_{name}")
            for name in ("reserved_within_on_hand", "on_hand_not_negative")
        ],
        {"never oversold"},
    ),
    "refund": (
        [
            ("payments", "ALTER TABLE payments DROP CONSTRAINT"
             " ck_payments_never_more_back_than_taken"),
            ("payments", "ALTER TABLE simulator_charges DROP CONSTRAINT"
             " ck_simulator_charges_refunded"),
        ],
        {"never more back than taken"},
    ),
    "key": (
        [
            ("orders", "ALTER TABLE orders DROP CONSTRAINT uq_orders_user_id_idempotency_key"),
            ("orders", "DROP INDEX uq_checkouts_user_id_idempotency_key"),
        ],
        {"one order per key", "one answer per key"},
    ),
    "counters": (
        [("orders", "ALTER TABLE order_lines DROP CONSTRAINT ck_order_lines_shipped")],
        {"what left is what was sold"},
    ),
    # The last, for what it leaves never comes to rest.
    "commit": ([], {"sold is what was ordered"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    """The file that says which guard is off."""
    return tmp_path_factory.mktemp("guards") / "off"


@pytest.fixture(scope="module")
def place(switch, tmp_path_factory):
    """A shop whose guards can be switched off."""
    environment = {"PYTHONPATH": str(HOOK), "GUARD_OFF": str(switch)}
    folder = tmp_path_factory.mktemp("shop")
    with private_shop(folder, print, **environment, ORDER_PAYMENT_WINDOW="6") as place:
        yield place


@pytest.mark.parametrize("guard", GUARDS)
def test_a_missing_guard_is_found(place, switch, guard):
    """A short run breaks the rule that the guard is there for."""
    statements, rules = GUARDS[guard]
    config = configuration.load() | place.environment()
    with Books(config) as books:
        before = {each: set(each.check(books).violations) for each in INVARIANTS}
    for package, statement in statements:
        engine = sa.create_engine(configuration.database_url(config, package))
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()
    switch.write_text(guard)
    try:
        outcome = Run(place, Aim(seed=5, orders=120, kills=2, rest=15, settle=2)).go()
    finally:
        switch.unlink()
    broken = {
        each.name
        for each, verdict in outcome.verdicts.items()
        if set(verdict.violations) - before.get(each, set())
    }
    assert rules <= broken, (broken, outcome.unrest)
