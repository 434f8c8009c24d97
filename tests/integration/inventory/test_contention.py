"""Many buyers at once."""

import itertools
import random
import uuid

import eventlet
import pytest
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from products.stock import reservation_store
from tests.support import until_rival_waits


def outcomes(attempts):
    """What each of `attempts` (callables) came to, all at once: a state, or a refusal's code."""

    def outcome(attempt):
        try:
            return attempt()["state"]
        except (Conflict, NotFound) as refused:
            return refused.code

    return [thread.wait() for thread in [eventlet.spawn(outcome, one) for one in attempts]]


def test_200_buyers_on_50_units(inventory, product, reserve, level):
    """Exactly what is there is sold: 50 buyers get one, 150 learn that it is gone."""
    kettle = product(stock=50)
    orders = [str(uuid.uuid4()) for _ in range(200)]
    held = outcomes([lambda order=order: reserve((kettle, 1), order_id=order) for order in orders])
    assert held.count("reserved") == 50
    assert held.count("out_of_stock") == 150
    assert level(kettle) == (50, 50)
    paid = [order for order, outcome in zip(orders, held, strict=True) if outcome == "reserved"]
    sold = outcomes([lambda order=order: inventory.commit(order_id=order) for order in paid])
    assert sold.count("committed") == 50
    assert level(kettle) == (50, 50)


def test_opposite_orders_do_not_block_each_other(product, reserve, level):
    """Lines in any order are locked in one order: no deadlock, all 120 get theirs."""
    shelf = [product(stock=400) for _ in range(3)]
    ways = itertools.cycle(itertools.permutations(shelf))
    attempts = [
        lambda way=way: reserve(*[(variant_id, 1) for variant_id in way])
        for way in itertools.islice(ways, 120)
    ]
    assert set(outcomes(attempts)) == {"reserved"}
    assert [level(variant_id) for variant_id in shelf] == [(400, 120)] * 3


def test_a_double_click_reserves_once(product, reserve, level):
    """The same order at the same instant takes its stock once, and every call says so."""
    kettle, order = product(stock=50), str(uuid.uuid4())
    attempts = [lambda: reserve((kettle, 3), order_id=order)] * 20
    assert set(outcomes(attempts)) == {"reserved"}
    assert level(kettle) == (50, 3)


@pytest.mark.parametrize(
    ("late", "left"), [("commit", (5, 2)), ("release", (5, 0)), ("reserve", (5, 2))]
)
def test_one_thing_after_the_other(engine, inventory, product, reserve, level, clock, late, left):
    """What comes while an order is being paid waits, and then goes by the outcome: it is sold
    once, and a release gives back what was sold."""
    kettle, order = product(stock=5), str(uuid.uuid4())
    reserve((kettle, 2), order_id=order)
    with Session(engine) as session, session.begin():
        reservation_store.commit(session, uuid.UUID(order), clock())
        if late == "reserve":
            waiting = eventlet.spawn(reserve, (kettle, 2), order_id=order)
        else:
            waiting = eventlet.spawn(getattr(inventory, late), order_id=order)
        until_rival_waits(session)
    assert waiting.wait()["state"] == {"release": "released"}.get(late, "committed")
    assert level(kettle) == left


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_at_once(inventory, product, reserve, level, call, seed):
    """Reserves, commits, releases, counts and edits in one heap end without error, and the books
    agree (see the fixture `conserved`)."""
    dice = random.Random(seed)
    shelf = [product(stock=20) for _ in range(4)]
    orders = [str(uuid.uuid4()) for _ in range(25)]

    def act():
        order = dice.choice(orders)
        lines = [(dice.choice(shelf), dice.randint(1, 3)) for _ in range(dice.randint(1, 3))]
        return dice.choice(
            [
                lambda: reserve(*lines, order_id=order),
                lambda: inventory.commit(order_id=order),
                lambda: inventory.release(order_id=order),
                lambda: (
                    inventory.adjust(variant_id=lines[0][0], delta=1, reason="found")
                    | {"state": "adjusted"}
                ),
                lambda: (
                    call.products.update(product_id=lines[0][0], price="1.00") | {"state": "edited"}
                ),
            ]
        )

    seen = outcomes([act() for _ in range(200)])
    assert {"reserved", "released", "adjusted", "edited"} <= set(seen)
