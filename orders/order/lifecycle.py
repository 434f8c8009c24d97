"""The order's life as one table: which state leads where, why, and who may cause it.

    pending ──► processing ──► partially_shipped ──► shipped ──► delivered
       │            │
       └────────────┴──► cancelled

Once it is paid, its parcels decide how far it has come (`orders.fulfilments.progress`).

What has become of the money is a field of its own (`PaymentStatus`), because both move
independently: a delivered order may be refunded in part, a cancelled one is refunded later.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from contracts.orders.enums import Cause, PaymentStatus, Status
from contracts.orders.errors import InvalidTransition
from contracts.users.enums import Action


class Party(StrEnum):
    """Who may cause a transition."""

    OWNER = "owner"
    STAFF = "staff"
    SYSTEM = "system"
    #: What has become of the units of its lines (`orders.fulfilments`).
    PARCELS = "parcels"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step: `by` may take it for `cause` while the money is in a state of `money`;
    others learn of it by `event`, or (None) by what became of its parcels."""

    source: Status
    target: Status
    cause: Cause
    by: Party
    event: str | None
    money: frozenset[PaymentStatus] = frozenset(PaymentStatus)

    @property
    def action(self) -> Action | None:
        """The word of the audit trail for it, when somebody of the staff has taken it; none of them
        marks an order as paid, and of parcels `orders.fulfilments` tells."""
        return _ACTIONS.get(self.target)


_ACTIONS = {Status.CANCELLED: Action.ORDER_CANCELLED}


_UNPAID = frozenset({PaymentStatus.UNPAID})
#: What was given back in full may be kept in part, by units that cost nothing
#: (`orders.fulfilments.transitions`).
_WAS_PAID = frozenset(PaymentStatus) - _UNPAID

TRANSITIONS = (
    Transition(Status.PENDING, Status.PROCESSING, Cause.PAID, Party.SYSTEM, "order_paid", _UNPAID),
    *(
        Transition(source, target, Cause.SHIPPED, Party.PARCELS, None, _WAS_PAID)
        for source, target in (
            (Status.PROCESSING, Status.PARTIALLY_SHIPPED),
            (Status.PROCESSING, Status.SHIPPED),
            (Status.PARTIALLY_SHIPPED, Status.SHIPPED),
        )
    ),
    Transition(Status.SHIPPED, Status.DELIVERED, Cause.DELIVERED, Party.PARCELS, None),
    *(
        Transition(Status.PARTIALLY_SHIPPED, target, Cause.ITEMS_CANCELLED, Party.PARCELS, None)
        for target in (Status.SHIPPED, Status.DELIVERED)
    ),
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
    Transition(
        Status.PROCESSING, Status.CANCELLED, Cause.OUT_OF_STOCK, Party.SYSTEM, "order_cancelled"
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


def after_refund(total: Decimal, refunded: Decimal) -> PaymentStatus:
    """The state of the money of a paid order of which `refunded` was given back."""
    if not refunded:
        return PaymentStatus.PAID
    return PaymentStatus.REFUNDED if refunded >= total else PaymentStatus.PARTIALLY_REFUNDED
