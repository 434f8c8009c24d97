"""A payment's states, and which provider's news change them.

pending ──► requires_action ──► succeeded ──► partially_refunded ──► refunded
   │               │               ▲  └───────────────────────────────▲
   └───────────────┴──► failed ────┘ (a capture that came to light late)

`failed` it is also when money came that does not pay the order: a part of it, or a second time. It
goes back, and the payment stays failed.
"""

from decimal import Decimal

from contracts.payments.enums import FailureCode, Status
from contracts.payments.errors import AnswerMismatch
from payments.providers.port import ChargeReport

#: Which report changes which state. All other news is old: providers repeat and reorder theirs.
#: Money that was taken is booked even after `failed`, and no `failed` undoes it.
_ADVANCES = {
    Status.PENDING: {Status.REQUIRES_ACTION, Status.SUCCEEDED, Status.FAILED},
    Status.REQUIRES_ACTION: {Status.SUCCEEDED, Status.FAILED},
    Status.FAILED: {Status.SUCCEEDED},
}


def advances(current: str, reported: str) -> bool:
    """Does this report of a provider change a payment in state `current`?"""
    return reported in _ADVANCES.get(Status(current), ())


def is_in_part(amount: Decimal, currency: str, report: ChargeReport) -> bool:
    """Whether less came than the `amount` that was asked for. Raises `AnswerMismatch` for money
    that cannot be ours to book: more of it, or another currency."""
    if report.currency != currency or not 0 < report.amount <= amount:
        raise AnswerMismatch
    in_part = report.amount < amount
    if in_part and report.status != Status.SUCCEEDED:
        raise AnswerMismatch
    return in_part


def is_whole(amount: Decimal, currency: str, report: ChargeReport) -> bool:
    """Whether exactly what was asked for was taken."""
    asked = (Status.SUCCEEDED, amount, currency)
    return (report.status, report.amount, report.currency) == asked


def never_received(amount: Decimal, currency: str) -> ChargeReport:
    """The end of a payment that its provider knows nothing of."""
    return ChargeReport(Status.FAILED, amount, currency, failure_code=FailureCode.NOT_RECEIVED)
