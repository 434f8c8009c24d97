"""Where a process may die between two steps, and how what it was at then ends.

`PACKAGE:function` names a point as the product's code has it; nothing in that code knows of it.
"""

from typing import Any, NamedTuple

BEFORE, AFTER = "before", "after"

#: Who finishes or undoes what was interrupted: the timer that looks for it, after the caller has
#: gone; the caller, who repeats under the same key; the event that tells of it; or the message that
#: was in hand, which the broker delivers again. The first two also when the event is lost as well.
SWEEP, REPEAT, EVENT, AGAIN = "sweep", "repeat", "event", "again"
UNTOLD_SWEEP, UNTOLD_REPEAT = "sweep, event lost", "repeat, event lost"

#: Seconds after which the timers take something up, by their settings, and one more.
CHECKOUT = 61  # orders.checkout_patience
LOOK = 16  # orders.payment_recheck
UNDO = 11  # orders.jobs.UNDO_TIME
CALL = 11  # payments.call_seconds
GIVE_UP = 301  # payments.give_up_seconds
CLAIM = 121  # notifications.mail.leases.CLAIM


class Point(NamedTuple):
    """A process of `package` dies `when` it calls `function`, while somebody `does` something.

    `ends` lists who repairs it, after how many seconds by the clock, and the end (`ENDS`).
    `answer`: only a call that answered this is meant. `echo`: what the message that comes again
    leads to, and how often that is done then, in all; by default this very function, once.
    """

    name: str
    package: str
    function: str
    when: str
    does: str
    ends: tuple[tuple[str, int, str], ...]
    answer: Any = None
    echo: tuple[str, int] | None = None


#: Status, payment status; on hand, reserved; captured, given back (in orders' worth); timeline.
ENDS: dict[str, tuple[Any, ...]] = {
    "nothing": (None, (1, 0), (0, 0), ()),
    "placed": (("pending", "unpaid"), (1, 1), (0, 0), ("placed", "reserved")),
    "not charged": (
        ("pending", "unpaid"), (1, 1), (0, 0), ("placed", "reserved", "payment_failed"),
    ),
    "paid": (
        ("processing", "paid"), (0, 0), (1, 0),
        ("placed", "reserved", "payment_succeeded", "committed", "paid"),
    ),
    "paid otherwise": (
        ("processing", "paid"), (0, 0), (1, 0),
        (
            "placed", "reserved", "payment_cancelled", "payment_succeeded", "committed", "paid",
        ),
    ),
    "given away": (
        ("processing", "paid"), (0, 0), (0, 0), ("placed", "reserved", "committed", "paid"),
    ),
    "called off": (
        ("pending", "unpaid"), (1, 1), (0, 0), ("placed", "reserved", "payment_cancelled"),
    ),
    "cancelled unpaid": (
        ("cancelled", "unpaid"), (1, 0), (0, 0),
        (
            "placed", "reserved", "cancelled_by_customer", "release_requested",
            "payment_cancelled",
        ),
    ),
    "refunded": (
        ("processing", "refunded"), (0, 0), (1, 1),
        ("placed", "reserved", "payment_succeeded", "committed", "paid", "payment_refunded"),
    ),
    "cancelled": (
        ("cancelled", "refunded"), (1, 0), (1, 1),
        (
            "placed", "reserved", "payment_succeeded", "committed", "paid",
            "cancelled_by_customer", "release_requested", "refund_due", "payment_refunded",
        ),
    ),
    "expired": (
        ("cancelled", "unpaid"), (1, 0), (0, 0),
        ("placed", "reserved", "expired", "release_requested"),
    ),
}  # fmt: skip

_UNDONE = (SWEEP, CHECKOUT, "nothing")
_PLACED = (REPEAT, 0, "placed")
_FINISHED = ((EVENT, 0, "paid"), (UNTOLD_SWEEP, LOOK, "paid"), (UNTOLD_REPEAT, 0, "paid"))

POINTS = (
    # orders.checkout.commands: prepare, begin, reserve, finalize; or undo
    Point(
        "a checkout is begun, nothing reserved",
        "orders", "orders.checkout.commands:_begin", AFTER, "place", (_UNDONE, _PLACED),
    ),
    Point(
        "stock is reserved, there is no order yet",
        "orders", "orders.checkout.commands:_reserve", AFTER, "place", (_UNDONE, _PLACED),
    ),
    Point(
        "the order is there, nobody was told",
        "orders", "orders.checkout.commands:place", AFTER, "place", (_PLACED, (AGAIN, 0, "placed")),
    ),
    Point(
        "stock is given back, the checkout still there",
        "orders", "orders.checkout.store:drop", BEFORE, "undo", ((SWEEP, UNDO, "nothing"),),
    ),
    # orders.payment.commands: begin, charge, claim, commit, conclude
    Point(
        "a payment is begun, nobody charged",
        "orders", "orders.payment.commands:_begin", AFTER, "pay",
        ((SWEEP, LOOK, "placed"), (REPEAT, 0, "paid")),
    ),
    Point(
        "the money has come, the order does not know",
        "orders", "orders.payment.commands:_charge", AFTER, "pay", _FINISHED,
    ),
    Point(
        "the order knows its payment, stock is not committed",
        "orders", "orders.payment.commands:_claim", AFTER, "pay", _FINISHED,
    ),
    Point(
        "stock is committed, the order is not paid",
        "orders", "orders.payment.commands:_commit_stock", AFTER, "pay", _FINISHED,
    ),
    Point(
        "the order is paid, nobody was told",
        "orders", "orders.payment.commands:pay", AFTER, "pay",
        ((REPEAT, 0, "paid"), (EVENT, 0, "paid")),
    ),
    Point(
        "an order that costs nothing is there, its stock is not committed",
        "orders", "orders.payment.commands:finish_free", BEFORE, "place_free",
        ((SWEEP, LOOK, "given away"), (REPEAT, 0, "given away")),
    ),
    Point(
        "stock is committed, the order that costs nothing is not paid",
        "orders", "orders.payment.commands:_commit_stock", AFTER, "place_free",
        ((SWEEP, LOOK, "given away"), (REPEAT, 0, "given away")),
    ),
    Point(
        "the order is cancelled, nobody was told",
        "orders", "orders.order.commands:cancel", AFTER, "cancel", ((EVENT, 0, "cancelled"),),
    ),
    Point(
        "the order has expired, stock is still held",
        "orders", "orders.jobs:_expire_batch", AFTER, "expire", ((EVENT, 0, "expired"),),
        answer=1,
    ),
    # inventory: each call committed, its answer lost
    Point(
        "inventory has reserved, orders does not know",
        "products", "products.service:InventoryService.reserve", AFTER, "place",
        ((AGAIN, 0, "placed"),),
    ),
    Point(
        "inventory has committed, orders does not know",
        "products", "products.service:InventoryService.commit", AFTER, "pay", ((AGAIN, 0, "paid"),),
    ),
    Point(
        "inventory has released, orders does not know",
        "products", "products.service:InventoryService.release", AFTER, "undo",
        ((AGAIN, 0, "nothing"),),
    ),
    # payments.cashier: intent, provider, books
    Point(
        "a charge is intended, the provider was not asked",
        "payments", "payments.cashier:Cashier._ask", BEFORE, "pay",
        ((REPEAT, CALL, "paid"), (SWEEP, GIVE_UP, "not charged")),
    ),
    Point(
        "the provider has charged, we have not booked it",
        "payments", "payments.cashier:Cashier.settle", BEFORE, "pay",
        ((SWEEP, CALL, "paid"), (REPEAT, CALL, "paid")),
    ),
    Point(
        "a charge is booked, orders was not told",
        "payments", "payments.cashier:Cashier.settle", AFTER, "pay",
        ((EVENT, 0, "paid"), (AGAIN, 0, "paid")),
        echo=("payments.cashier:Cashier.charge", 1),
    ),
    Point(
        "a waiting payment is to be replaced, the provider was not asked",
        "payments", "payments.providers.simulator:Simulator.cancel", BEFORE, "pay_otherwise",
        ((REPEAT, CALL, "paid otherwise"), (SWEEP, CALL, "called off")),
    ),
    Point(
        "the provider has cancelled what is replaced, we have not booked it",
        "payments", "payments.providers.simulator:Simulator.cancel", AFTER, "pay_otherwise",
        ((REPEAT, CALL, "paid otherwise"), (SWEEP, CALL, "called off")),
    ),
    Point(
        "what is replaced has failed, the other means is not charged",
        "payments", "payments.cashier:Cashier.cancel", AFTER, "pay_otherwise",
        ((REPEAT, 0, "paid otherwise"), (AGAIN, 0, "paid otherwise")),
        echo=("payments.cashier:Cashier.charge", 1),
    ),
    Point(
        "the order is cancelled, its waiting payment is not",
        "orders", "orders.order.commands:stop_payment", BEFORE, "cancel_waiting",
        ((SWEEP, LOOK, "cancelled unpaid"),),
    ),
    Point(
        "the provider has cancelled the payment of a cancelled order, we have not booked it",
        "payments", "payments.providers.simulator:Simulator.cancel", AFTER, "cancel_waiting",
        ((SWEEP, CALL, "cancelled unpaid"),),
    ),
    Point(
        "a refund is intended, the provider was not asked",
        "payments", "payments.cashier:Cashier.settle_refund", BEFORE, "refund",
        ((SWEEP, CALL, "refunded"), (REPEAT, CALL, "refunded")),
    ),
    Point(
        "the provider has refunded, we have not booked it",
        "payments", "payments.providers.simulator:Simulator.refund", AFTER, "refund",
        ((SWEEP, CALL, "refunded"),),
    ),
    Point(
        "a refund is booked, nobody was told",
        "payments", "payments.cashier:Cashier.settle_refund", AFTER, "refund",
        ((REPEAT, 0, "refunded"),),
    ),
    Point(
        "a cancelled order's refund is intended, its event not acknowledged",
        "payments", "payments.cashier:Cashier.settle_refund", BEFORE, "cancel",
        ((AGAIN, CALL, "cancelled"),),
    ),
    # Events: published and not marked; applied and not acknowledged
    Point(
        "events are published, their rows not marked",
        "orders", "chassis.broker.confirmed_publisher:ConfirmedPublisher.publish",
        AFTER, "place", ((AGAIN, 0, "placed"),),
        echo=("notifications.service:NotificationsService.announce", 2),
    ),
    Point(
        "orders has finished an order, the event is not acknowledged",
        "orders", "orders.service:OrdersService.on_payment_succeeded", AFTER, "pay",
        ((AGAIN, 0, "paid"),),
    ),
    Point(
        "orders has noted a refund, the event is not acknowledged",
        "orders", "orders.service:OrdersService.on_payment_refunded", AFTER, "refund",
        ((AGAIN, 0, "refunded"),),
    ),
    Point(
        "inventory has restocked, the event is not acknowledged",
        "products", "products.service:InventoryService.on_order_cancelled", AFTER, "cancel",
        ((AGAIN, 0, "cancelled"),),
    ),
    Point(
        "a mail is written, the event is not acknowledged",
        "notifications", "notifications.service:NotificationsService.announce", AFTER, "place",
        ((AGAIN, 0, "placed"),),
    ),
    Point(
        "a mail is delivered, that is not noted",
        "notifications", "notifications.mail.commands:_sent", BEFORE, "place",
        ((SWEEP, CLAIM, "placed"),),
    ),
)  # fmt: skip

#: One test each: (point, who, after how many seconds, how it ends), by name.
ROWS = {
    f"{point.name} ({who})": (point, who, seconds, end)
    for point in POINTS
    for who, seconds, end in point.ends
}


#: An undo needs a checkout that was interrupted before.
INTERRUPTED = next(
    point for point in POINTS if point.function == "orders.checkout.commands:_reserve"
)

#: The last moment of a checkout.
PLACED = next(point for point in POINTS if point.function == "orders.checkout.commands:place")


def functions_of(package: str) -> list[str]:
    """What has to be wrapped in a process of `package`; the modules of others it never imports."""
    functions = {point.function for point in POINTS if point.package == package}
    echoes = {point.echo[0] for point in POINTS if point.echo}
    return sorted(functions | echoes | {INTERRUPTED.function})
