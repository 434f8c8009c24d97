"""The order's life as one table: which state leads where, why, and who may cause it.

    pending ──► processing ──► shipped ──► delivered
       │            │
       └────────────┴──► cancelled

What has become of the money is a field of its own (`Payment`), because both move independently: a
delivered order may be refunded in part, a cancelled one is refunded later.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from orders.errors import InvalidTransition


class Status(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Payment(StrEnum):
    """What has become of the money."""

    UNPAID = "unpaid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class Party(StrEnum):
    """Who may cause a transition."""

    OWNER = "owner"
    STAFF = "staff"
    SYSTEM = "system"


class Cause(StrEnum):
    """Why an order changed its state."""

    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    BY_CUSTOMER = "cancelled_by_customer"
    BY_STAFF = "cancelled_by_staff"
    EXPIRED = "expired"
    OUT_OF_STOCK = "out_of_stock"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step: `by` may take it for `cause` while the money is in a state of `money`;
    others learn of it by `event`."""

    source: Status
    target: Status
    cause: Cause
    by: Party
    event: str
    money: frozenset[Payment] = frozenset(Payment)


_UNPAID = frozenset({Payment.UNPAID})
#: Nothing is shipped that was given back in full.
_KEPT = frozenset({Payment.PAID, Payment.PARTIALLY_REFUNDED})

TRANSITIONS = (
    Transition(Status.PENDING, Status.PROCESSING, Cause.PAID, Party.SYSTEM, "order_paid", _UNPAID),
    Transition(
        Status.PROCESSING, Status.SHIPPED, Cause.SHIPPED, Party.STAFF, "order_shipped", _KEPT
    ),
    Transition(Status.SHIPPED, Status.DELIVERED, Cause.DELIVERED, Party.STAFF, "order_delivered"),
    *(
        Transition(source, Status.CANCELLED, cause, by, "order_cancelled")
        for source in (Status.PENDING, Status.PROCESSING)
        for cause, by in ((Cause.BY_CUSTOMER, Party.OWNER), (Cause.BY_STAFF, Party.STAFF))
    ),
    *(
        Transition(
            Status.PENDING, Status.CANCELLED, cause, Party.SYSTEM, "order_cancelled", _UNPAID
        )
        for cause in (Cause.EXPIRED, Cause.OUT_OF_STOCK)
    ),
)

#: States that lead nowhere: such an order may be hidden.
FINISHED = frozenset(Status) - {step.source for step in TRANSITIONS}


def step(
    status: str,
    money: str,
    target: str,
    by: Collection[Party],
    cause: Cause | None = None,
) -> Transition:
    """The transition from `status` to `target` that one of `by` may cause.

    `cause` is named by the system, which has several reasons for one step. Raises
    `InvalidTransition`.
    """
    for candidate in TRANSITIONS:
        if (
            candidate.source == status
            and candidate.target == target
            and candidate.by in by
            and money in candidate.money
            and cause in (None, candidate.cause)
        ):
            return candidate
    raise InvalidTransition(
        f"An order that is {status} and {money.replace('_', ' ')} cannot become {target}.",
        order_status=str(status),
        payment_status=str(money),
        target=str(target),
    )


def after_refund(total: Decimal, refunded: Decimal) -> Payment:
    """The state of the money of a paid order of which `refunded` was given back."""
    if not refunded:
        return Payment.PAID
    return Payment.REFUNDED if refunded >= total else Payment.PARTIALLY_REFUNDED
