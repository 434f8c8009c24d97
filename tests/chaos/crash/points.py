"""Where a process may die between two steps, and how what it was at then ends.

The product's code declares its steps (`chassis.steps`); a test holds the two lists together.
"""

from typing import Any, NamedTuple

#: Who finishes or undoes what was interrupted: the timer that looks for it, after the caller has
#: gone; the caller, who repeats under the same key; the event that tells of it; or the message that
#: was in hand, which the broker delivers again. The first two also when the event is lost as well.
SWEEP, REPEAT, EVENT, AGAIN = "sweep", "repeat", "event", "again"
UNTOLD_SWEEP, UNTOLD_REPEAT = "sweep, event lost", "repeat, event lost"

#: Seconds after which the timers take something up, by their settings, and one more.
CHECKOUT = 61  # orders.checkout_patience
LOOK = 16  # orders.payment_recheck
UNDO = 11  # orders.checkout.store.RELEASE_TIME
CALL = 11  # payments.call_seconds
GIVE_UP = 301  # payments.give_up_seconds
CLAIM = 121  # notifications.mail.leases.CLAIM


class Point(NamedTuple):
    """A process of `package` dies when it has reached the step `at` while somebody `does`
    something. A step that all entrypoints have is followed by the one that is meant.

    `ends` lists who repairs it, after how many seconds by the clock, and the end (`ENDS`). `echo`:
    the step that is reached when the message comes again, and how often then, in all; by default
    this very one, once.
    """

    name: str
    package: str
    at: str
    does: str
    ends: tuple[tuple[str, int, str], ...]
    echo: tuple[str, int] | None = None


#: Status, payment status; on hand, reserved; captured, given back (in orders' worth); timeline.
ENDS: dict[str, tuple[Any, ...]] = {
    "nothing": (None, (1, 0), (0, 0), ()),
    "on the way": (None, (0, 0), (0, 0), ()),
    "placed": (("pending", "unpaid"), (1, 1), (0, 0), ("placed", "reserved")),
    "not charged": (
        ("pending", "unpaid"), (1, 1), (0, 0), ("placed", "reserved", "payment_failed"),
    ),
    "paid": (
        ("processing", "paid"), (1, 1), (1, 0),
        ("placed", "reserved", "payment_succeeded", "committed", "paid"),
    ),
    "paid otherwise": (
        ("processing", "paid"), (1, 1), (1, 0),
        (
            "placed", "reserved", "payment_cancelled", "payment_succeeded", "committed", "paid",
        ),
    ),
    "given away": (
        ("processing", "paid"), (1, 1), (0, 0), ("placed", "reserved", "committed", "paid"),
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
        ("processing", "refunded"), (1, 1), (1, 1),
        ("placed", "reserved", "payment_succeeded", "committed", "paid", "payment_refunded"),
    ),
    "cancelled": (
        ("cancelled", "refunded"), (1, 0), (1, 1),
        (
            "placed", "reserved", "payment_succeeded", "committed", "paid",
            "cancelled_by_customer", "release_requested", "refund_due", "payment_refunded",
        ),
    ),
    "shipped": (
        ("shipped", "paid"), (0, 0), (1, 0),
        (
            "placed", "reserved", "payment_succeeded", "committed", "paid",
            "fulfilment_shipped", "shipped",
        ),
    ),
    "given up": (
        ("cancelled", "refunded"), (1, 0), (1, 1),
        (
            "placed", "reserved", "payment_succeeded", "committed", "paid",
            "cancelled_by_staff", "release_requested", "refund_due", "payment_refunded",
        ),
    ),
    "out of stock": (
        ("cancelled", "refunded"), (1, 0), (1, 1),
        (
            "placed", "reserved", "payment_succeeded", "committed", "paid",
            "out_of_stock", "release_requested", "refund_due", "payment_refunded",
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
    # orders.checkout.commands
    Point(
        "a checkout is begun, nothing reserved",
        "orders", "orders.checkout.entered", "place", (_UNDONE, _PLACED),
    ),
    Point(
        "stock is reserved, there is no order yet",
        "orders", "orders.checkout.reserved", "place", (_UNDONE, _PLACED),
    ),
    Point(
        "the order is there, nobody was told",
        "orders", "orders.checkout.completed", "place", (_PLACED, (AGAIN, 0, "placed")),
        echo=("rpc.returned:orders.place", 1),
    ),
    Point(
        "stock is given back, the checkout still there",
        "orders", "orders.checkout.released", "undo", ((SWEEP, UNDO, "nothing"),),
    ),
    # orders.payment.commands, orders.payment.finishing
    Point(
        "a payment is begun, nobody charged",
        "orders", "orders.payment.started", "pay",
        ((SWEEP, LOOK, "placed"), (REPEAT, 0, "paid")),
    ),
    Point(
        "the money has come, the order does not know",
        "orders", "orders.payment.charged", "pay", _FINISHED,
    ),
    Point(
        "the order knows its payment, stock is not committed",
        "orders", "orders.payment.attached", "pay_with_a_brief_hold", _FINISHED,
    ),
    Point(
        "stock is committed, the order is not paid",
        "orders", "orders.payment.committed", "pay_with_a_brief_hold", _FINISHED,
    ),
    Point(
        "the order is paid, nobody was told",
        "orders", "orders.payment.concluded", "pay",
        ((REPEAT, 0, "paid"), (EVENT, 0, "paid")),
    ),
    Point(
        "an order that costs nothing is there, it is not paid",
        "orders", "orders.checkout.completed", "place_free",
        ((SWEEP, LOOK, "given away"), (REPEAT, 0, "given away")),
    ),
    Point(
        "the order that costs nothing is paid, nobody was told",
        "orders", "orders.payment.concluded", "place_free",
        ((EVENT, 0, "given away"), (REPEAT, 0, "given away")),
    ),
    Point(
        "the order is cancelled, nobody was told",
        "orders", "orders.order.cancelled", "cancel", ((EVENT, 0, "cancelled"),),
    ),
    Point(
        "the order has expired, stock is still held",
        "orders", "orders.order.expired", "expire", ((EVENT, 0, "expired"),),
    ),
    Point(
        "a parcel has left, nobody was told",
        "orders", "orders.fulfilments.saved", "ship",
        ((EVENT, 0, "shipped"), (REPEAT, 0, "shipped")),
    ),
    Point(
        "the last units are cancelled, nobody was told",
        "orders", "orders.cancellation.cancelled", "give_up",
        ((EVENT, 0, "given up"), (REPEAT, 0, "given up")),
    ),
    # inventory: each call committed, its answer lost
    Point(
        "inventory has reserved, orders does not know",
        "products", "rpc.returned:inventory.reserve", "place",
        ((AGAIN, 0, "placed"),),
    ),
    Point(
        "inventory has committed, orders does not know",
        "products", "rpc.returned:inventory.commit", "pay_with_a_brief_hold",
        ((AGAIN, 0, "paid"),),
    ),
    Point(
        "inventory has released, orders does not know",
        "products", "rpc.returned:inventory.release", "undo",
        ((AGAIN, 0, "nothing"),),
    ),
    Point(
        "a transfer is sent, its sender does not know",
        "products", "rpc.returned:inventory.send_transfer", "transfer",
        ((REPEAT, 0, "on the way"), (AGAIN, 0, "on the way")),
    ),
    Point(
        "a transfer is received, its receiver does not know",
        "products", "rpc.returned:inventory.receive_transfer", "take_in",
        ((REPEAT, 0, "nothing"), (AGAIN, 0, "nothing")),
    ),
    # payments: intent, provider, books
    Point(
        "a charge is intended, the provider was not asked",
        "payments", "payments.charge.opened", "pay",
        ((REPEAT, CALL, "paid"), (SWEEP, GIVE_UP, "not charged")),
    ),
    Point(
        "the provider has charged, we have not booked it",
        "payments", "payments.charge.answered", "pay",
        ((SWEEP, CALL, "paid"), (REPEAT, CALL, "paid")),
    ),
    Point(
        "a charge is booked, orders was not told",
        "payments", "payments.charge.settled", "pay",
        ((EVENT, 0, "paid"), (AGAIN, 0, "paid")),
        echo=("rpc.returned:payments.charge", 1),
    ),
    Point(
        "a waiting payment is to be replaced, the provider was not asked",
        "payments", "payments.cancel.noted", "pay_otherwise",
        ((REPEAT, CALL, "paid otherwise"), (SWEEP, CALL, "called off")),
    ),
    Point(
        "the provider has cancelled what is replaced, we have not booked it",
        "payments", "payments.cancel.answered", "pay_otherwise",
        ((REPEAT, CALL, "paid otherwise"), (SWEEP, CALL, "called off")),
    ),
    Point(
        "what is replaced has failed, the other means is not charged",
        "payments", "payments.cancel.settled", "pay_otherwise",
        ((REPEAT, 0, "paid otherwise"), (AGAIN, 0, "paid otherwise")),
        echo=("rpc.returned:payments.charge", 1),
    ),
    Point(
        "the order is cancelled, its waiting payment is not",
        "orders", "orders.order.cancelled", "cancel_waiting",
        ((SWEEP, LOOK, "cancelled unpaid"),),
    ),
    Point(
        "the provider has cancelled the payment of a cancelled order, we have not booked it",
        "payments", "payments.cancel.answered", "cancel_waiting",
        ((SWEEP, CALL, "cancelled unpaid"),),
    ),
    Point(
        "a refund is intended, the provider was not asked",
        "payments", "payments.refund.opened", "refund",
        ((SWEEP, CALL, "refunded"), (REPEAT, CALL, "refunded")),
    ),
    Point(
        "the provider has refunded, we have not booked it",
        "payments", "payments.refund.answered", "refund",
        ((SWEEP, CALL, "refunded"),),
    ),
    Point(
        "a refund is booked, nobody was told",
        "payments", "payments.refund.settled", "refund",
        ((REPEAT, 0, "refunded"),),
    ),
    Point(
        "a cancelled order's refund is intended, its event not acknowledged",
        "payments", "payments.refund.opened", "cancel",
        ((AGAIN, CALL, "cancelled"),),
    ),
    # Events: published and not marked; applied and not acknowledged
    Point(
        "events are published, their rows not marked",
        "orders", "events.published", "place", ((AGAIN, 0, "placed"),),
        echo=("events.handled:notifications.announce", 2),
    ),
    Point(
        "orders has finished an order, the event is not acknowledged",
        "orders", "events.handled:orders.on_payment_succeeded", "pay",
        ((AGAIN, 0, "paid"),),
    ),
    Point(
        "orders has noted a refund, the event is not acknowledged",
        "orders", "events.handled:orders.on_payment_refunded", "refund",
        ((AGAIN, 0, "refunded"),),
    ),
    Point(
        "inventory keeps what is paid, the event is not acknowledged",
        "products", "events.handled:inventory.on_order_paid", "pay",
        ((AGAIN, 0, "paid"),),
    ),
    Point(
        "inventory has told that stock is lost, the event of the payment is not acknowledged",
        "products", "events.handled:inventory.on_order_paid", "pay_with_a_lost_hold",
        ((AGAIN, 0, "out of stock"),),
    ),
    Point(
        "orders has cancelled what is out of stock, the event is not acknowledged",
        "orders", "events.handled:orders.on_stock_lost", "pay_with_a_lost_hold",
        ((AGAIN, 0, "out of stock"),),
    ),
    Point(
        "inventory has freed what is cancelled, the event is not acknowledged",
        "products", "events.handled:inventory.on_order_cancelled", "cancel",
        ((AGAIN, 0, "cancelled"),),
    ),
    Point(
        "inventory has booked what left, the event is not acknowledged",
        "products", "events.handled:inventory.on_fulfilment_shipped", "ship",
        ((AGAIN, 0, "shipped"),),
    ),
    Point(
        "a mail is written, the event is not acknowledged",
        "notifications", "events.handled:notifications.announce", "place",
        ((AGAIN, 0, "placed"),),
    ),
    Point(
        "a mail is delivered, that is not noted",
        "notifications", "notifications.mail.delivered", "place",
        ((SWEEP, CLAIM, "placed"),),
    ),
)  # fmt: skip

#: One test each: (point, who, after how many seconds, how it ends), by name.
ROWS = {
    f"{point.name} ({who})": (point, who, seconds, end)
    for point in POINTS
    for who, seconds, end in point.ends
}


#: A checkout that nobody takes up again.
INTERRUPTED = next(point for point in POINTS if point.at == "orders.checkout.reserved")

#: The last moment of a checkout.
PLACED = next(point for point in POINTS if point.at == "orders.checkout.completed")
