"""Reserve, commit, release: what an order may do with stock."""

import uuid

import eventlet
import pytest

from chassis.errors import Conflict, Invalid, NotFound
from contracts.inventory import answers


@pytest.fixture
def order():
    return str(uuid.uuid4())


def test_from_shelf_to_buyer(inventory, product, reserve, level, order):
    """Reserved units stay on hand but are not available; so do those of a paid order, until they
    are shipped."""
    kettle = product(stock=5)
    held = reserve((kettle, 2), order_id=order)
    assert (held["order_id"], held["state"]) == (order, "reserved")
    assert level(kettle) == (5, 2)
    committed = inventory.commit(order_id=order)
    assert committed == {name: held[name] for name in committed} | {"state": "committed"}
    assert level(kettle) == (5, 2)
    for answer in (held, committed):
        answers.Reservation().load(answer)


def test_what_is_reserved_is_told_with_its_price(call, product, reserve, clock, order):
    """By variant id and as it is now, at first and at each repeat: changed, deleted, over, or
    paid."""
    lamp, kettle = product(), product()
    call.products.update(product_id=lamp, sku="L-1")
    call.products.update(product_id=kettle, name="Teapot", price="12.50", currency="CHF", sku="T-1")
    call.products.update_variant(variant_id=kettle, weight_g=850, options={"Size": "L"})

    def told():
        held = reserve((kettle, 2), (lamp, 1), order_id=order)
        answers.Reserved().load(held)
        return held["lines"]

    line = {
        "variant_id": lamp, "product_id": lamp, "sku": "L-1", "name": "Kettle", "options": {},
        "price": "9.90", "currency": "EUR", "tax_class": "standard", "weight_g": 0, "is_only": True,
    }  # fmt: skip
    other = line | {
        "variant_id": kettle, "product_id": kettle, "sku": "T-1", "name": "Teapot",
        "options": {"Size": "L"}, "price": "12.50", "currency": "CHF", "weight_g": 850,
    }  # fmt: skip
    assert told() == [line, other]
    call.products.update(product_id=lamp, price="0.00")
    assert told() == [line | {"price": "0.00"}, other]
    clock.advance(minutes=31)
    assert told() == [line | {"price": "0.00"}, other]
    call.products.delete(product_id=lamp)
    assert told() == [line | {"price": "0.00"}, other]
    call.inventory.commit(order_id=order)
    assert told() == [line | {"price": "0.00"}, other]


def test_what_is_reserved_may_lose_its_options(call, inventory, reserve, order):
    """The order keeps a variant that is deleted, with all the values that only it had."""
    variants = [{"options": {"Size": size}, "stock": 1} for size in "ML"]
    shirt = call.products.create(name="Shirt", price="29.00", variants=variants)
    large = shirt["variants"][1]["id"]
    reserve((large, 1), order_id=order)
    call.products.delete_variant(variant_id=large)
    (size,) = shirt["options"]
    values = size["values"][:1]
    call.products.update_option(product_id=shirt["id"], option_id=size["id"], values=values)
    again = reserve((large, 1), order_id=order)
    answers.Reserved().load(again)
    assert again["lines"][0]["options"] == {}


def test_the_product_shows_what_is_left(call, product, reserve):
    """A reservation lowers what the catalog shows as available at once."""
    kettle = product(stock=5)
    reserve((kettle, 5))
    assert call.products.get(product_id=kettle)["available"] == 0
    assert call.products.list(in_stock=True)["items"] == []
    assert [p["id"] for p in call.products.list(in_stock=False)["items"]] == [kettle]


def test_all_or_nothing(product, reserve, level, order):
    """One short line refuses all, names every short one, and leaves no trace."""
    kettle, mug, pot = product(stock=5), product(stock=1), product(stock=0)
    with pytest.raises(Conflict) as short:
        reserve((kettle, 5), (mug, 2), (pot, 1), (999, 1), order_id=order)
    assert short.value.code == "out_of_stock"
    assert short.value.data["lines"] == [
        {"variant_id": mug, "product_id": mug, "requested": 2, "available": 1},
        {"variant_id": pot, "product_id": pot, "requested": 1, "available": 0},
        {"variant_id": 999, "product_id": None, "requested": 1, "available": 0},
    ]
    assert [level(kettle), level(mug)] == [(5, 0), (1, 0)]
    assert reserve((mug, 1), order_id=order)["state"] == "reserved"  # smaller, it may try again


def test_a_product_in_two_lines_counts_once(product, reserve, level):
    """Two lines of one product are one demand for their sum."""
    kettle = product(stock=5)
    with pytest.raises(Conflict) as short:
        reserve((kettle, 3), (kettle, 3))
    assert short.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "requested": 6, "available": 5}
    ]
    reserve((kettle, 3), (kettle, 2))
    assert level(kettle) == (5, 5)


def test_a_repeat_changes_nothing(inventory, product, reserve, level, order):
    """Each call may come twice: the answer is the same, the stock moves once."""
    kettle = product(stock=5)
    first = reserve((kettle, 2), order_id=order)
    assert reserve((kettle, 1), (kettle, 1), order_id=order, minutes=99) == first
    assert level(kettle) == (5, 2)
    assert inventory.commit(order_id=order) == inventory.commit(order_id=order)
    assert level(kettle) == (5, 2)
    assert reserve((kettle, 2), order_id=order)["state"] == "committed"
    assert inventory.release(order_id=order) == inventory.release(order_id=order)
    assert level(kettle) == (5, 0)


def test_other_lines_under_the_same_order(product, reserve, level, order):
    """An order's id stands for one set of lines."""
    kettle, mug = product(), product()
    reserve((kettle, 2), order_id=order)
    for other in ([(kettle, 3)], [(mug, 2)], [(kettle, 2), (mug, 1)]):
        with pytest.raises(Conflict) as refused:
            reserve(*other, order_id=order)
        assert refused.value.code == "reservation_conflict"
    assert [level(kettle), level(mug)] == [(5, 2), (5, 0)]


def test_release_frees_what_was_held(inventory, product, reserve, level, order):
    """An unpaid order gives its promise back."""
    kettle = product()
    reserve((kettle, 2), order_id=order)
    assert inventory.release(order_id=order, reason="changed my mind")["state"] == "released"
    assert level(kettle) == (5, 0)
    (last, *_) = inventory.movements(variant_id=kettle)["items"]
    assert (last["kind"], last["reason"]) == ("release", "changed my mind")


def test_release_frees_what_was_sold(inventory, product, reserve, level, order):
    """A paid order that is cancelled gives the goods back, once."""
    kettle = product()
    reserve((kettle, 2), order_id=order)
    inventory.commit(order_id=order)
    for _ in range(2):
        inventory.release(order_id=order)
        assert level(kettle) == (5, 0)


def test_nothing_after_a_release(inventory, product, reserve, level, order):
    """A released order can neither reserve nor commit: its cancellation may come first."""
    kettle = product()
    assert inventory.release(order_id=order)["state"] == "released"  # nobody knew it yet
    for late in (
        lambda: reserve((kettle, 1), order_id=order),
        lambda: inventory.commit(order_id=order),
    ):
        with pytest.raises(Conflict) as refused:
            late()
        assert refused.value.code == "reservation_released"
    assert level(kettle) == (5, 0)


def test_commit_of_an_unknown_order(inventory, order):
    """What was never reserved can't be sold."""
    with pytest.raises(NotFound) as unknown:
        inventory.commit(order_id=order)
    assert unknown.value.code == "reservation_not_found"


def test_a_deleted_product_is_not_sold(call, inventory, product, reserve, level, order):
    """It can't be reserved any more; orders that hold it get it all the same."""
    kettle = product()
    reserve((kettle, 1), order_id=order)
    call.products.delete(product_id=kettle)
    with pytest.raises(Conflict) as refused:
        reserve((kettle, 1))
    assert refused.value.code == "out_of_stock"
    assert inventory.commit(order_id=order)["state"] == "committed"
    assert level(kettle) == (5, 1)


def test_a_hold_is_not_for_ever(product, reserve):
    """It ends in the future, and not too far in it."""
    kettle = product()
    for minutes in (-1, 0, 62 * 24 * 60):
        with pytest.raises(Invalid) as refused:
            reserve((kettle, 1), minutes=minutes)
        assert list(refused.value.errors) == ["expires_at"]


def test_check_tells_line_by_line(inventory, product, reserve):
    """What could be had just now; a product in two lines needs enough for both."""
    kettle, mug = product(stock=5), product(stock=3)
    reserve((kettle, 2))
    lines = [(kettle, 3), (mug, 2), (mug, 2), (999, 1)]
    asked = [{"variant_id": variant_id, "quantity": n} for variant_id, n in lines]
    items = inventory.check(items=asked)["items"]
    assert [line["available"] for line in items] == [True, False, False, False]
    assert [(line["variant_id"], line["product_id"], line["quantity"]) for line in items] == [
        (kettle, kettle, 3), (mug, mug, 2), (mug, mug, 2), (999, None, 1),
    ]  # fmt: skip


def test_check_by_product(inventory, product, call):
    """A product stands for its only variant, whatever id that has, and counts with it."""
    kettle = product(stock=5)
    cap = call.products.create(
        name="Cap", price="9.90", variants=[{"options": {"Size": "one"}, "stock": 3}]
    )
    only = cap["variants"][0]["id"]
    asked = [
        {"product_id": kettle, "quantity": 5},
        {"product_id": cap["id"], "quantity": 2},
        {"variant_id": only, "quantity": 2},
        {"product_id": 999, "quantity": 1},
    ]
    assert inventory.check(items=asked)["items"] == [
        {"variant_id": kettle, "product_id": kettle, "quantity": 5, "available": True},
        {"variant_id": only, "product_id": cap["id"], "quantity": 2, "available": False},
        {"variant_id": only, "product_id": cap["id"], "quantity": 2, "available": False},
        {"variant_id": None, "product_id": 999, "quantity": 1, "available": False},
    ]
    call.products.delete(product_id=kettle)
    assert inventory.check(items=asked[:1])["items"][0] == {
        "variant_id": None, "product_id": kettle, "quantity": 5, "available": False
    }  # fmt: skip


def test_check_by_a_product_with_several(inventory, product, call):
    """All such products are named, with their variants; both names of one are refused."""
    kettle = product()
    shirts = [
        call.products.create(
            name="Shirt",
            price="9.90",
            variants=[{"options": {"Size": size}, "stock": 3} for size in "SML"],
        )
        for _ in "ab"
    ]
    with pytest.raises(Conflict) as refused:
        inventory.check(
            items=[
                {"product_id": each, "quantity": 1}
                for each in (shirts[1]["id"], kettle, shirts[0]["id"])
            ]
        )
    assert refused.value.code == "choose_variant"
    lines = refused.value.data["lines"]
    assert [line["product_id"] for line in lines] == [shirt["id"] for shirt in shirts]
    small = shirts[0]["variants"][0]
    assert lines[0]["variants"][0] == {
        "variant_id": small["id"], "sku": small["sku"], "options": {"Size": "S"},
        "price": "9.90", "currency": "EUR", "available": 3,
    }  # fmt: skip
    assert len(lines[1]["variants"]) == 3
    with pytest.raises(Invalid):
        inventory.check(items=[{"product_id": kettle, "variant_id": kettle, "quantity": 1}])


def test_the_ledger_names_the_product(inventory, call):
    """Beside the variant, as the counters do."""
    shirt = call.products.create(
        name="Shirt", price="9", variants=[{"options": {"Size": "S"}, "stock": 3}]
    )
    variant_id = shirt["variants"][0]["id"]
    (first,) = inventory.movements(variant_id=variant_id)["items"]
    for found in (first, inventory.get(variant_id=variant_id)):
        assert (found["variant_id"], found["product_id"]) == (variant_id, shirt["id"])


def test_release_and_reserve_at_once(inventory, product, reserve, level, eventually):
    """Whichever comes first, a cancelled order ends with nothing held."""
    kettle = product(stock=100)
    orders = [str(uuid.uuid4()) for _ in range(30)]

    def attempt(order):
        try:
            return reserve((kettle, 1), order_id=order)["state"]
        except Conflict as refused:
            return refused.code

    attempts = []
    for order in orders:
        attempts.append(eventlet.spawn(attempt, order))
        eventlet.spawn(inventory.release, order_id=order)
    assert {one.wait() for one in attempts} <= {"reserved", "reservation_released"}
    eventually(lambda: level(kettle) == (100, 0))


@pytest.mark.parametrize("end", ["commit", "release"])
def test_an_order_keeps_what_it_holds_of_a_deleted_variant(call, reserve, inventory, order, end):
    """It ends as it would have; nobody else gets any of it."""
    sizes = [{"options": {"Size": size}, "stock": 5} for size in "SL"]
    small, _ = call.products.create(name="Shirt", price="29.00", variants=sizes)["variants"]
    reserve((small["id"], 2), order_id=order)
    call.products.delete_variant(variant_id=small["id"])
    with pytest.raises(Conflict) as refused:
        reserve((small["id"], 1))
    assert refused.value.data["lines"][0]["available"] == 0
    ended = getattr(inventory, end)(order_id=order)
    assert ended["state"] == {"commit": "committed", "release": "released"}[end]
