"""Checkout: from a cart or a list of items to an order with reserved stock.

    prepare    what is bought, at the server's prices, to which address
    enter      the checkout's own row                                    transaction
    reserve    the stock, under the order's id                           RPC, idempotent by that id
    complete   order, timeline, event, emptied cart; the row is dropped  transaction
    finish     only when it costs nothing (`orders.payment.commands`)

No transaction is open during a call to somebody else. A crash between two steps leaves the row: the
same request with the same key takes it up where it stands, else `orders.jobs` abandons it:

    abandon    no order will be made any more                            transaction
    release    the stock, then the row is dropped                        RPC, transaction
"""

import datetime
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from chassis.errors import Fault, Invalid, NotFound
from chassis.identity import Actor, Role
from chassis.messages import Json
from chassis.steps import Step
from contracts.inventory.errors import ReservationReleased
from contracts.orders.enums import Cause, PaymentStatus, Status, TimelineCause, TimelineKind
from contracts.orders.errors import CartChanged, CheckoutInterrupted, TooManyUnpaidUnits
from contracts.users.answers import DefaultAddress
from orders import catalog
from orders.cart import queries as cart_queries
from orders.cart import store as cart_store
from orders.cart.queries import Contents
from orders.checkout import pricing, store
from orders.checkout.pricing import Basket, Shown
from orders.checkout.store import Attempt, Placed
from orders.context import Context
from orders.models import Order
from orders.order import queries as order_queries
from orders.order import timeline
from orders.payment import commands as payment_commands

_ADDRESS = DefaultAddress(exclude=("id", "default", "version"))

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
    key: str | None = None,
) -> Json:
    """Place an order of `items` ({product_id, quantity, price?}), of the cart when there are none.

    A repeat under `key` answers the first order; `replayed` in the answer says so. `currency` is
    that of the prices and total which the buyer was shown: without it, for items, the shop's.
    Without an `expected_total` the prices in a cart count as shown when they were put in.
    """
    # As it always was where there is no currency: a key may have been used before there was one.
    given = () if currency is None else (currency,)
    fingerprint = _fingerprint(items, shipping_address, expected_total, *given)
    with context.db.autocommit() as connection:
        # The cart before the key: a rival with this key that empties the cart is then noticed.
        cart = cart_queries.read(connection, user_id) if items is None else None
        known = None
        if key is not None:
            known = store.find(connection, user_id, key, fingerprint, context.clock())
    if known is None:
        shown = Shown(expected_total, currency)
        basket, available = _prepare(context, user_id, items, cart, shipping_address, shown)
        mine = Attempt(uuid.uuid4(), user_id, key, fingerprint, basket)
        known = _enter(context, mine, available)
        replayed = known.order_id != mine.order_id
    else:
        replayed = True
    order = None
    if isinstance(known, Attempt):
        _reserve(context, known)
        order = _complete(context, known)
    if order is None:
        with context.db.autocommit() as connection:
            order = order_queries.get(connection, known.order_id, Actor.SYSTEM)
    if not order["total"] and order["status"] == Status.PENDING:
        order = _finish(context, order)
    return order | {"replayed": replayed}


def _fingerprint(*request: Any) -> str:
    canonical = orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def _prepare(
    context: Context,
    user_id: uuid.UUID,
    items: Sequence[Mapping[str, Any]] | None,
    cart: Contents | None,
    shipping_address: dict[str, Any] | None,
    shown: Shown,
) -> tuple[Basket, dict[int, int]]:
    """What the order will be made of, and how many of each product are available; raises when it
    is not what the buyer was shown."""
    if cart is None:
        wanted = pricing.merge(items or (), shown.currency or context.settings["currency"])
    else:
        wanted = cart.wanted()
    if not wanted:
        raise Invalid(errors={"items": ["The cart is empty."]})
    products = catalog.look_up(context.products, (line.product_id for line in wanted))
    lines, currency = pricing.price(wanted, products)
    pricing.check_payable(pricing.total(lines))
    pricing.check_shown(shown, wanted, lines, currency, from_cart=cart is not None)
    basket = Basket(
        lines,
        currency,
        shipping_address or _default_address(context, user_id),
        context.clock() + datetime.timedelta(seconds=context.settings["payment_window"]),
        None if cart is None else cart.version,
    )
    return basket, {one: product["available"] for one, product in products.items() if product}


def _default_address(context: Context, user_id: uuid.UUID) -> dict[str, Any]:
    try:
        return _ADDRESS.load(context.users.default_address(user_id=user_id))
    except NotFound:
        message = "Send an address, or save one as your default."
        raise Invalid(errors={"shipping_address": [message]}) from None


def _enter(context: Context, attempt: Attempt, available: dict[int, int]) -> Attempt | Placed:
    """Write the checkout's row; what a rival with the same key has made when that was faster."""
    now = context.clock()
    limits = pricing.limits(context.settings, available)
    due_at = now + datetime.timedelta(seconds=context.settings["checkout_patience"])
    # Without a key it is one statement, which needs no transaction around it.
    writing = context.db.autocommit() if attempt.key is None else context.db.begin()
    with writing as session:
        try:
            entered = store.enter(session, attempt, now, due_at, limits)
        except TooManyUnpaidUnits:
            # More than there is: inventory would say so, and it is what the buyer can act on.
            pricing.check_available(attempt.basket.lines, available)
            raise
    ENTERED.reached()
    return entered


def _reserve(context: Context, attempt: Attempt) -> None:
    """Have inventory hold the stock until the order has to be paid, and a little longer."""
    try:
        context.inventory.reserve(
            order_id=attempt.order_id,
            lines=[
                {"product_id": line.product_id, "quantity": line.quantity}
                for line in attempt.basket.lines
            ],
            expires_at=_held_until(context, attempt),
        )
    except ReservationReleased:
        raise CheckoutInterrupted from None
    except Fault as fault:
        _give_up(context, attempt, refused=fault.status < 500)
        raise
    RESERVED.reached()


def _held_until(context: Context, attempt: Attempt) -> datetime.datetime:
    grace = datetime.timedelta(seconds=context.settings["reservation_grace"])
    return attempt.basket.expires_at + grace


def _give_up(context: Context, attempt: Attempt, *, refused: bool) -> None:
    """After a reservation that failed; `refused`: inventory said no, so nothing is held.

    When the outcome is unknown, a checkout with a key waits for the repeat. With a key, a rival may
    be about to reserve under the same id even after a refusal, so its stock is released all the
    same.
    """
    if attempt.key is not None and not refused:
        return
    with context.db.begin() as session:
        if attempt.key is None and refused:
            store.drop(session, attempt.order_id)
        else:
            store.abandon(session, attempt.order_id, context.clock())


def _complete(context: Context, attempt: Attempt) -> dict[str, Any] | None:
    """Make the order and answer it; None when a rival with the same key has made it."""
    now = context.clock()
    order = _new_order(context, attempt, now)
    event = context.events.event("order_placed", order_queries.facts(order, Cause.PLACED))
    # Without a cart it is one statement, which needs no transaction around it.
    writing = context.db.autocommit() if attempt.basket.cart_version is None else context.db.begin()
    try:
        with writing as session:
            if not _write(context, session, attempt, order, event):
                if not order_queries.is_there(session, order.id):
                    raise CheckoutInterrupted  # whoever abandoned it gives the stock back
                return None
            if not _take_cart(session, attempt, now):
                raise CartChanged("The cart was changed during the checkout.")
    except CartChanged:
        with context.db.begin() as session:
            store.abandon(session, attempt.order_id, now)
        _release_now(context, attempt.order_id)
        raise
    COMPLETED.reached()
    context.events.hand_over(event)
    return order_queries.view(order, attempt.basket.lines)


def _new_order(context: Context, attempt: Attempt, now: datetime.datetime) -> Order:
    basket = attempt.basket
    is_free = not basket.total
    recheck = datetime.timedelta(seconds=context.settings["payment_recheck"])
    return Order(
        id=attempt.order_id,
        number=attempt.number,
        user_id=attempt.user_id,
        status=Status.PENDING,
        payment_status=PaymentStatus.UNPAID,
        total=basket.total,
        currency=basket.currency,
        shipping_address=basket.shipping_address,
        idempotency_key=attempt.key,
        fingerprint=attempt.fingerprint,
        created_at=now,
        updated_at=now,
        expires_at=basket.expires_at,
        held_until=_held_until(context, attempt),
        paying_since=now if is_free else None,
        recheck_at=now + recheck if is_free else None,
        version=1,
    )


def _write(
    context: Context,
    session: Connection | Session,
    attempt: Attempt,
    order: Order,
    event: dict[str, Any],
) -> bool:
    """False when the checkout is no longer open."""
    buyer = Actor(attempt.user_id, Role.CUSTOMER)
    entry = partial(timeline.entry, order.id, order.created_at, trace_id=context.trace_id)
    placed = entry(
        TimelineKind.ORDER, Cause.PLACED, buyer, total=order.total, currency=order.currency
    )
    reserved = entry(TimelineKind.STOCK, TimelineCause.STOCK_RESERVED, until=order.expires_at)
    return store.complete(session, order, attempt.basket.lines, [placed, reserved], event)


def _take_cart(session: Connection | Session, attempt: Attempt, now: datetime.datetime) -> bool:
    """Empty the cart that was ordered; False when it is not as it was read."""
    version = attempt.basket.cart_version
    return version is None or cart_store.take(session, attempt.user_id, version, now)


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
        payment_commands.finish_free(context, order["id"])
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
        with context.db.begin() as session:
            store.drop(session, order_id)
    except Exception as error:
        reason = getattr(error, "code", type(error).__name__)
        with context.db.begin() as session:
            store.note_failure(session, order_id, reason)
        raise
