"""Checkout: from a cart or a list of items to an order with reserved stock.

    prepare    what is asked for, and to which address it goes
    enter      the checkout's own row, which claims the key              statement
    reserve    the stock, under the order's id; our prices of now        RPC, idempotent by that id
    complete   order, timeline, event, emptied cart; the row is dropped  statement
    finish     only when it costs nothing (`orders.payment.finishing`)

The prices have to be those that the buyer was shown, or the checkout is undone.

No transaction is open during a call to somebody else. A crash between two steps leaves the row: the
same request with the same key takes it up where it stands, else `orders.jobs` abandons it:

    abandon    no order will be made any more                            statement
    release    the stock, then the row is dropped                        RPC, statement
"""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from chassis import idempotency
from chassis.errors import Fault, Invalid
from chassis.identity import Actor, Role
from chassis.messages import Json
from chassis.steps import Step
from contracts.inventory.errors import OutOfStock, ReservationReleased
from contracts.orders.enums import Cause, PaymentStatus, Status, TimelineCause, TimelineKind
from contracts.orders.errors import (
    CheckoutInterrupted,
    TooManyOpenOrders,
    TooManyUnpaidUnits,
)
from contracts.products.errors import ChooseVariant
from orders import addresses, catalog
from orders.cart import queries as cart_queries
from orders.checkout import pricing, store
from orders.checkout.pricing import Basket, Priced, Shown
from orders.checkout.store import Attempt, Placed
from orders.context import Context
from orders.lines import rows as line_rows
from orders.lines import tax_rows
from orders.models import Order
from orders.order import queries as order_queries
from orders.order import timeline
from orders.payment import finishing
from orders.terms import store as terms_store
from orders.terms.rules import Charges, Terms

#: How often a checkout is tried with products' only variants in their place: once, and again when a
#: rival with the same key, who still named the products, was before us.
_ROUNDS = 3

#: Where a crash is tested.
ENTERED = Step("orders.checkout.entered")
RESERVED = Step("orders.checkout.reserved")
COMPLETED = Step("orders.checkout.completed")
RELEASED = Step("orders.checkout.released")


def place(
    context: Context,
    user_id: uuid.UUID,
    items: Sequence[Mapping[str, Any]] | None = None,
    shipping_address: dict[str, Any] | None = None,
    expected_total: Decimal | None = None,
    currency: str | None = None,
    shipping_method: str | None = None,
    key: str | None = None,
) -> Json:
    """Place an order of `items` ({variant_id or product_id, quantity, price?}), of the cart when
    there are none.

    A repeat under `key` answers the first order; `replayed` in the answer says so. `currency` is
    that of the prices and total which the buyer was shown: without it, for items, the shop's.
    Without an `expected_total` the prices in a cart count as shown when they were put in.
    """
    # As it always was without what came later: a key may have been used before that.
    given: list[Any] = [] if currency is None else [currency]
    given += [] if shipping_method is None else [{"shipping_method": shipping_method}]
    fingerprint = idempotency.fingerprint(items, shipping_address, expected_total, *given)
    order_id, shown = uuid.uuid4(), Shown(expected_total, currency)
    try:
        basket = _prepare(context, user_id, items, shipping_address, shown, shipping_method)
    except Fault:
        # A first request may have found what this one misses: the cart that it has emptied, say.
        with context.db.autocommit() as connection:
            known = store.find(connection, user_id, key, fingerprint, context.clock())
        if known is None:
            raise
    else:
        known = _enter(context, Attempt(order_id, user_id, key, fingerprint, basket))
    for remaining in reversed(range(_ROUNDS)):
        try:
            order = _make(context, known)
            break
        except _OnlyVariants as found:
            if not remaining:
                raise CheckoutInterrupted from None
            order_id = uuid.uuid4()
            known = _enter(context, Attempt(order_id, user_id, key, fingerprint, found.basket))
    if order is None:
        with context.db.autocommit() as connection:
            order = order_queries.get(connection, known.order_id, Actor.SYSTEM)
    if not order["total"] and order["status"] == Status.PENDING:
        order = _finish(context, order)
    return order | {"replayed": known.order_id != order_id}


def _prepare(
    context: Context,
    user_id: uuid.UUID,
    items: Sequence[Mapping[str, Any]] | None,
    shipping_address: dict[str, Any] | None,
    shown: Shown,
    shipping_method: str | None,
) -> Basket:
    """What is asked for; the cart before the key, so that one which a rival empties is noticed."""
    if items is None:
        with context.db.autocommit() as connection:
            cart = cart_queries.read(connection, user_id)
        wanted, cart_version = cart.wanted(), cart.version
    else:
        wanted = pricing.merge(items, shown.currency or context.settings["currency"])
        cart_version = None
    if not wanted:
        raise Invalid(errors={"items": ["The cart is empty."]})
    address = shipping_address or addresses.default(context.users, user_id)
    if address is None:
        message = "Send an address, or save one as your default."
        raise Invalid(errors={"shipping_address": [message]})
    return Basket(
        tuple(wanted),
        shown,
        address,
        context.clock() + datetime.timedelta(seconds=context.settings["payment_window"]),
        cart_version,
        shipping_method,
    )


def _enter(context: Context, attempt: Attempt) -> Attempt | Placed:
    """Write the checkout's row; what its key has led to before when that is something."""
    try:
        # Within the least bound nobody needs to know how much there is.
        entered = _claim(context, attempt, dict.fromkeys(attempt.basket.variant_ids, 0))
    except (TooManyOpenOrders, TooManyUnpaidUnits):
        basket, variants = _look_closer(context, attempt.basket)
        available = {one: variant["available"] for one, variant in variants.items()}
        try:
            entered = _claim(context, replace(attempt, basket=basket), available)
        except TooManyUnpaidUnits as fault:
            # More than there is: inventory would say so, and it is what the buyer can act on.
            pricing.check_available(basket.lines, variants)
            lines = pricing.with_products(fault.data["lines"], variants)
            raise TooManyUnpaidUnits(lines=lines) from None
    ENTERED.reached()
    return entered


def _claim(context: Context, attempt: Attempt, available: dict[int, int]) -> Attempt | Placed:
    now = context.clock()
    due_at = now + datetime.timedelta(seconds=context.settings["checkout_patience"])
    limits = pricing.limits(context.settings, available)
    with context.db.autocommit() as connection:
        return store.enter(connection, attempt, now, due_at, limits)


def _look_closer(context: Context, basket: Basket) -> tuple[Basket, dict[int, Mapping[str, Any]]]:
    """The basket with the variants that are meant, and these by id. Raises what is wrong with the
    basket by itself: that comes before whatever else it is refused for."""
    if basket.by_product:
        only = catalog.only_variants(context.products, basket.by_product)
        basket = pricing.with_variants(basket, only)
    # What is still named by its product has none, though a variant of another may have that id.
    variants = catalog.look_up(context.products, basket.variant_ids)
    variants |= dict.fromkeys(basket.by_product)
    with context.db.autocommit() as connection:
        terms = terms_store.read(connection, basket.shipping_address["country"], context.clock())
    pricing.settle(basket, variants, _charges(context, terms))
    return basket, {one: variant for one, variant in variants.items() if variant}


class _OnlyVariants(Exception):
    """Products were named whose only variants have other ids than they; `basket` has these."""

    def __init__(self, basket: Basket) -> None:
        super().__init__()
        self.basket = basket


def _make(context: Context, attempt: Attempt | Placed) -> dict[str, Any] | None:
    """Reserve the stock and make the order, at the prices of this moment; None when it is there, or
    a rival with the same key has made it.

    Raises `_OnlyVariants` when nothing is held, for products named so have to be asked for anew.
    """
    if isinstance(attempt, Placed):
        return None
    try:
        variants, held_until = _reserve(context, attempt)
        pricing.check_named(attempt.basket, variants)
        priced = pricing.settle(attempt.basket, variants, _charges(context, attempt.terms))
        return _complete(context, attempt, priced, held_until)
    except Fault as fault:
        if _undo(context, attempt, fault):
            return None
        if isinstance(fault, OutOfStock | ChooseVariant):
            basket, _ = _look_closer(context, attempt.basket)
            if basket.variant_ids != attempt.basket.variant_ids:
                raise _OnlyVariants(basket) from None
        raise


def _charges(context: Context, terms: Terms) -> Charges:
    return Charges(terms, context.clock(), context.settings["prices_include_tax"])


def _reserve(
    context: Context, attempt: Attempt
) -> tuple[dict[int, dict[str, Any]], datetime.datetime]:
    """Have inventory hold the stock until the order has to be paid, and for the grace after; the
    variants as they are sold now, and until when they are held."""
    basket = attempt.basket
    grace = datetime.timedelta(seconds=context.settings["reservation_grace"])
    try:
        answer = context.inventory.reserve(
            order_id=attempt.order_id,
            lines=[
                {"variant_id": line.variant_id, "quantity": line.quantity} for line in basket.lines
            ],
            expires_at=basket.expires_at + grace,
            country=basket.shipping_address["country"],
        )
    except ReservationReleased:
        raise CheckoutInterrupted from None
    RESERVED.reached()
    return catalog.reserved(answer)


def _undo(context: Context, attempt: Attempt, fault: Fault) -> bool:
    """End a checkout that has failed; whether a rival with the same key has made its order, when
    the price was still right, say, or the stock there.

    What was refused is released, also when it was refused by inventory: the broker may deliver that
    call once more, and a rival make it, when there is stock. With an unknown outcome, a checkout
    with a key waits for the repeat.
    """
    is_refused = fault.status < 500
    if not is_refused and attempt.key is not None:
        return False
    if not _abandon(context, attempt):
        return _is_made(context, attempt)
    if is_refused:
        _release_now(context, attempt.order_id)
    return False


def _abandon(context: Context, attempt: Attempt) -> bool:
    with context.db.autocommit() as connection:
        return store.abandon(connection, attempt.order_id, context.clock())


def _complete(
    context: Context,
    attempt: Attempt,
    priced: Priced,
    held_until: datetime.datetime,
) -> dict[str, Any] | None:
    """Make the order and answer it; None when a rival with the same key has made it."""
    order = _new_order(context, attempt, priced, held_until)
    rows = line_rows(order.id, priced.lines, priced.amounts.lines)
    taxes = tax_rows(order.id, priced.amounts)
    entries, version = _entries(context, order), attempt.basket.cart_version
    event = context.events.event("order_placed", order_queries.facts(order, Cause.PLACED))
    with context.db.autocommit() as connection:
        is_new = store.complete(connection, order, rows, taxes, entries, event, version)
    if not is_new and not _is_made(context, attempt):
        raise CheckoutInterrupted  # whoever abandoned it gives the stock back
    if not is_new:
        return None
    COMPLETED.reached()
    context.events.hand_over(event)
    return order_queries.view(order, rows, taxes)


def _is_made(context: Context, attempt: Attempt) -> bool:
    with context.db.autocommit() as connection:
        return order_queries.is_there(connection, attempt.order_id)


def _new_order(
    context: Context,
    attempt: Attempt,
    priced: Priced,
    held_until: datetime.datetime,
) -> Order:
    now, amounts = context.clock(), priced.amounts
    is_free, method = not amounts.total, priced.shipping and priced.shipping.method
    recheck = datetime.timedelta(seconds=context.settings["payment_recheck"])
    return Order(
        id=attempt.order_id,
        number=attempt.number,
        user_id=attempt.user_id,
        status=Status.PENDING,
        payment_status=PaymentStatus.UNPAID,
        subtotal=amounts.subtotal,
        discount=amounts.discount,
        shipping=amounts.shipping,
        shipping_tax=amounts.shipping_tax,
        net=amounts.net,
        tax=amounts.tax,
        total=amounts.total,
        currency=priced.currency,
        prices_include_tax=amounts.prices_include_tax,
        shipping_method=method and method.code,
        shipping_name=method and method.name,
        shipping_tax_class=method and method.tax_class,
        shipping_address=attempt.basket.shipping_address,
        idempotency_key=attempt.key,
        fingerprint=attempt.fingerprint,
        created_at=now,
        updated_at=now,
        expires_at=attempt.basket.expires_at,
        held_until=held_until,
        paying_since=now if is_free else None,
        recheck_at=now + recheck if is_free else None,
        version=1,
    )


def _entries(context: Context, order: Order) -> list[dict[str, Any]]:
    """What the order's timeline begins with."""
    buyer = Actor(order.user_id, Role.CUSTOMER)
    entry = partial(timeline.entry, order.id, order.created_at, trace_id=context.trace_id)
    placed = entry(
        TimelineKind.ORDER, Cause.PLACED, buyer, total=order.total, currency=order.currency
    )
    reserved = entry(TimelineKind.STOCK, TimelineCause.STOCK_RESERVED, until=order.expires_at)
    return [placed, reserved]


def _release_now(context: Context, order_id: uuid.UUID) -> None:
    """So that the buyer's next try does not compete with this one for the stock."""
    try:
        release(context, order_id)
    except Fault as fault:
        context.log.warning("release_postponed", order_id=str(order_id), code=fault.code)


def _finish(context: Context, order: dict[str, Any]) -> dict[str, Any]:
    """An order that costs nothing is paid at once; as it is then. If that fails, the sweep does
    it."""
    try:
        finishing.finish_free(context, order["id"])
    except Exception as error:
        context.log.warning(
            "finish_postponed", order_id=str(order["id"]), error=type(error).__name__
        )
        return order
    with context.db.autocommit() as connection:
        return order_queries.get(connection, order["id"], Actor.SYSTEM)


def release(context: Context, order_id: uuid.UUID) -> None:
    """Give back what an abandoned checkout has reserved, then forget it. Repeating does no harm; a
    checkout whose stock could not be given back keeps why, and raises it."""
    try:
        context.inventory.release(order_id=order_id, reason="checkout abandoned")
        RELEASED.reached()
        with context.db.autocommit() as connection:
            store.drop(connection, order_id)
    except Exception as error:
        reason = getattr(error, "code", type(error).__name__)
        with context.db.autocommit() as connection:
            store.note_failure(connection, order_id, reason)
        raise
