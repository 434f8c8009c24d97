"""Stock that is counted, delivered or thrown away; and the ledger that tells of it."""

import uuid

import pytest
import sqlalchemy as sa

from chassis.errors import Conflict, Invalid, NotFound, PreconditionFailed
from contracts.inventory import answers

STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}


def test_by_difference_and_by_count(inventory, product):
    """A delta adds, a count replaces, and both answer with the new level."""
    kettle = product(stock=5)
    added = inventory.adjust(variant_id=kettle, delta=3, reason="delivery")
    assert (added["on_hand"], added["available"]) == (8, 8)
    counted = inventory.adjust(variant_id=kettle, on_hand=6, reason="counted")
    assert counted == inventory.get(variant_id=kettle)
    assert counted["on_hand"] == 6
    answers.Stock().load(counted)


@pytest.mark.parametrize("change", [{"delta": -3}, {"on_hand": 2}, {"on_hand": 0}, {"delta": -9}])
def test_never_below_what_is_reserved(inventory, product, reserve, level, change):
    """What orders hold stays; the answer says how much that is."""
    kettle = product(stock=5)
    reserve((kettle, 3))
    with pytest.raises(Conflict) as refused:
        inventory.adjust(variant_id=kettle, reason="broken", **change)
    assert refused.value.code == "stock_reserved"
    assert refused.value.data == {"location": "MAIN", "on_hand": 5, "reserved": 3}
    assert level(kettle) == (5, 3)
    inventory.adjust(variant_id=kettle, on_hand=3, reason="broken")
    assert level(kettle) == (3, 3)


def test_expired_reservations_do_not_hinder(inventory, product, reserve, clock, level):
    """What has expired is not reserved, swept or not."""
    kettle = product(stock=5)
    reserve((kettle, 3), minutes=30)
    clock.advance(minutes=31)
    inventory.adjust(variant_id=kettle, on_hand=0, reason="fire")
    assert level(kettle) == (0, 0)


def test_a_stale_version_is_refused(inventory, product, reserve):
    """A count that was made before somebody bought is made again."""
    kettle = product(stock=5)
    seen = inventory.get(variant_id=kettle)["version"]
    reserve((kettle, 1))
    with pytest.raises(PreconditionFailed):
        inventory.adjust(variant_id=kettle, on_hand=4, reason="counted", version=seen)


def test_bounds(inventory, product):
    """Nobody has ten million kettles, and unknown products have no stock."""
    kettle = product(stock=5)
    with pytest.raises(Invalid):
        inventory.adjust(variant_id=kettle, delta=10_000_000, reason="slip")
    for unknown in (inventory.get, inventory.movements):
        with pytest.raises(NotFound):
            unknown(variant_id=999)
    with pytest.raises(NotFound):
        inventory.adjust(variant_id=999, delta=1, reason="ghost")


def test_the_ledger_tells_all(inventory, product, reserve):
    """Every change with its kind, reason and who did it, newest first, page by page."""
    kettle, order = product(stock=5), str(uuid.uuid4())
    inventory.adjust(variant_id=kettle, delta=-1, reason="broken", actor=STAFF)
    inventory.adjust(variant_id=kettle, on_hand=4, reason="counted, was right", actor=STAFF)
    reserve((kettle, 2), order_id=order)
    inventory.commit(order_id=order)
    inventory.release(order_id=order, reason="order cancelled")
    items, cursor = [], None
    for _ in range(2):
        page = inventory.movements(variant_id=kettle, limit=2, cursor=cursor)
        items, cursor = items + page["items"], page["next"]
    assert cursor is None
    assert [(m["kind"], m["delta_on_hand"], m["delta_reserved"]) for m in items] == [
        ("release", 0, -2),
        ("reserve", 0, 2),
        ("adjust", -1, 0),
        ("initial", 5, 0),
    ]
    assert [m["order_id"] for m in items] == [order] * 2 + [None] * 2
    assert [(m["reason"], m["actor"]) for m in items[2:]] == [
        ("broken", STAFF["user_id"]),
        ("initial stock", None),
    ]
    for movement in items:
        answers.Movement().load(movement)


@pytest.mark.parametrize(
    "rewriting",
    [
        "UPDATE movements SET delta_on_hand = 1",
        "DELETE FROM movements",
        "UPDATE stock SET reserved = 9",
    ],
)
def test_the_database_itself_refuses(engine, product, rewriting):
    """The ledger is append-only and no counter leaves its bounds, whoever writes the SQL."""
    product(stock=5)
    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.text(rewriting))
