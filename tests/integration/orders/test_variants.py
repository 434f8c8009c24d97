"""Orders of variants: named by their ids, or by products that have only one."""

import pytest

from chassis.errors import Conflict, Invalid, Unavailable
from orders.checkout import commands as checkout_commands
from tests.integration.orders.world import ADDRESS, crash


@pytest.fixture
def order(call, buyer, running):
    """`order({"variant_id": 1, "quantity": 1}, ...)`: an order of these items."""

    def place(*items, **request):
        request = {"shipping_address": ADDRESS} | request
        return call.orders.place(user_id=buyer["user_id"], items=list(items), **request)

    return place


def item(variant_id, quantity=1, **fields):
    return {"variant_id": variant_id, "quantity": quantity} | fields


def of(product_id, quantity=1, **fields):
    return {"product_id": product_id, "quantity": quantity} | fields


def test_an_order_says_which_variant_it_is_of(order, shirt, stock):
    """With its product, SKU and options as they were; each variant is a line of its own."""
    product, small, medium = shirt("S", "M")
    made = order(item(small), item(medium, 2), item(small))
    assert [(line["variant_id"], line["product_id"], line["options"], line["quantity"])
            for line in made["items"]] == [
        (small, product, {"Size": "S"}, 2), (medium, product, {"Size": "M"}, 2),
    ]  # fmt: skip
    assert len({line["sku"] for line in made["items"]}) == 2
    assert (stock(small), stock(medium)) == ((5, 2), (5, 2))


def test_a_product_stands_for_its_only_variant(order, product, shirt, stock, sql, call):
    """Also when that has another id than the product, or is named beside it."""
    kettle, (cap, one_size) = product(), shirt("one")
    made = order(of(kettle), of(cap), item(one_size, 2), of(cap))
    assert [(line["variant_id"], line["quantity"]) for line in made["items"]] == [
        (kettle, 1), (one_size, 4),
    ]  # fmt: skip
    assert (stock(kettle), stock(one_size)) == ((5, 1), (5, 4))
    assert sql("orders", "SELECT * FROM checkouts") == []
    states = sql("products", "SELECT state, count(*) AS n FROM reservations GROUP BY state")
    assert {row["state"]: row["n"] for row in states} == {"reserved": 1, "released": 1}


@pytest.mark.parametrize("key", [None, "once"])
def test_a_product_with_several_is_to_be_chosen_from(order, shirt, product, stock, sql, key):
    """The answer names them, with what there is of each; nothing is held."""
    kettle, (jumper, small, medium) = product(), shirt("S", "M")
    with pytest.raises(Conflict) as refused:
        order(of(kettle), of(jumper), key=key)
    assert refused.value.code == "choose_variant"
    (line,) = refused.value.data["lines"]
    assert line["product_id"] == jumper
    assert [(one["variant_id"], one["options"], one["price"], one["available"])
            for one in line["variants"]] == [
        (small, {"Size": "S"}, "20.00", 5), (medium, {"Size": "M"}, "20.00", 5),
    ]  # fmt: skip
    assert stock(kettle) == (5, 0)
    assert sql("orders", "SELECT * FROM checkouts") == []
    assert order(of(kettle), item(small), key=key)["items"][1]["variant_id"] == small


def test_a_variant_without_options_is_one_of_several_too(order, product, call, stock):
    """A product that had stock before it came in sizes keeps that."""
    kettle = product()
    call.products.create_variant(product_id=kettle, options={"Size": "XL"}, stock=3)
    with pytest.raises(Conflict) as refused:
        order(of(kettle))
    assert refused.value.code == "choose_variant"
    assert len(refused.value.data["lines"][0]["variants"]) == 2
    assert stock(kettle) == (5, 0)
    assert order(item(kettle))["items"][0]["options"] == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 1},
        {"variant_id": 1, "product_id": 1, "quantity": 1},
        {"variant_id": None, "quantity": 1},
        {"variant_id": "1", "quantity": 1},
        {"variant_id": 0, "quantity": 1},
        {"variant_id": 2**63, "quantity": 1},
        {"variant_id": 4711, "quantity": 1},
        {"product_id": 4711, "quantity": 1},
    ],
)
def test_what_is_no_variant_is_refused(order, product, wrong, stock):
    """And nothing of the rest is held."""
    kettle = product()
    with pytest.raises(Invalid):
        order(item(kettle), wrong)
    assert stock(kettle) == (5, 0)


def test_the_price_of_a_variant_is_its_own_or_its_products(order, shirt, call):
    """Whichever it is, another one than was shown stops the order."""
    product, small, medium = shirt("S", "M")
    call.products.update_variant(variant_id=medium, price="25.00")
    call.products.update(product_id=product, price="21.00")
    with pytest.raises(Conflict) as changed:
        order(item(small, price="20.00"), item(medium, price="25.00"))
    assert changed.value.data["lines"] == [
        {"variant_id": small, "product_id": product, "sent": "20.00", "current": "21.00"}
    ]
    made = order(item(small, price="21.00"), item(medium, price="25.00"))
    assert made["total"] == "46.00"


def test_a_variant_that_is_deleted_while_it_is_held(order, shirt, pay, call, stock):
    """The order ends as any other; another one is refused."""
    _, small, _ = shirt("S", "M")
    made = order(item(small))
    call.products.delete_variant(variant_id=small)
    with pytest.raises(Invalid):
        order(item(small))
    assert pay(made)["status"] == "succeeded"


@pytest.mark.parametrize("key", [None, "once"])
def test_the_id_of_a_variant_is_none_of_a_product(order, shirt, product, stock, key):
    """It is refused as one that nothing has, also when the buyer holds much already."""
    kettle, (_, small, _) = product(stock=100), shirt("S", "M", stock=100)
    for held in (0, 20):
        if held:
            order(item(kettle, held))
        with pytest.raises(Invalid) as refused:
            order(of(small), item(kettle), key=key)
        assert refused.value.errors == {"items": [f"Product {small} does not exist."]}
    assert (stock(kettle), stock(small)) == ((100, 20), (100, 0))


def test_units_that_are_held_count_by_variant(order, shirt):
    """So many of each, whichever product they are of."""
    product, small, medium = shirt("S", "M", stock=100)
    order(item(small, 20))
    with pytest.raises(Conflict) as refused:
        order(item(small), item(medium, 20))
    assert refused.value.data["lines"] == [
        {"variant_id": small, "product_id": product, "requested": 1, "unpaid": 20, "limit": 20}
    ]
    order(item(medium, 20))


def test_a_product_that_is_short_is_told_by_its_variant(order, shirt, product):
    """With what there is of it."""
    cap, one_size = shirt("one", stock=1)
    kettle = product(stock=1)
    with pytest.raises(Conflict) as refused:
        order(of(cap, 3), of(kettle, 2))
    assert refused.value.code == "out_of_stock"
    assert {line["variant_id"]: line["product_id"] for line in refused.value.data["lines"]} == {
        one_size: cap, kettle: kettle,
    }  # fmt: skip


def test_a_checkout_by_product_that_is_taken_up_again(order, shirt, product, at, stock):
    """Its row keeps by what each was named."""
    kettle, (cap, one_size) = product(), shirt("one")
    at(checkout_commands.ENTERED, crash)
    with pytest.raises(Exception, match="internal"):
        order(of(kettle), of(cap), key="again")
    made = order(of(kettle), of(cap), key="again")
    assert [line["variant_id"] for line in made["items"]] == [kettle, one_size]
    assert order(of(kettle), of(cap), key="again") == made | {"replayed": True}
    assert (stock(kettle), stock(one_size)) == ((5, 1), (5, 1))


@pytest.mark.parametrize("rivals", [1, 9])
def test_rivals_under_the_key_that_name_products(
    order, shirt, at, monkeypatch, stock, clock, rivals
):
    """They come, and crash, while the first request looks up the only variants. It finishes what
    the last one has begun; should they never end, it is to be tried again, and holds nothing."""
    cap, one_size = shirt("one")
    look_closer, coming = checkout_commands._look_closer, iter(range(rivals))

    def look_closer_amid_rivals(context, basket):
        found = look_closer(context, basket)
        if next(coming, None) is not None:
            at(checkout_commands.ENTERED, crash)
            with pytest.raises(Exception, match="internal"):
                order(of(cap), key="again")
        return found

    monkeypatch.setattr(checkout_commands, "_look_closer", look_closer_amid_rivals)
    if rivals == 1:
        made = order(of(cap), key="again")
        assert [line["variant_id"] for line in made["items"]] == [one_size]
        assert stock(one_size) == (5, 1)
    else:
        with pytest.raises(Unavailable) as interrupted:
            order(of(cap), key="again")
        assert interrupted.value.code == "checkout_interrupted"
        assert stock(one_size) == (5, 0)
        clock.advance(seconds=61)  # the last rival's row is abandoned
