"""The sweep: asks the provider about everything that is not decided yet.

A time-out is not a failure but an unknown, and so is a process that died between two steps.
Several instances share the work: each takes rows that no other holds, and moves their next
check on before it asks, so that no transaction is open while the provider answers.
"""

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import outages
from contracts.payments.enums import OPEN
from payments.cashier import Cashier
from payments.charges import store as charge_store
from payments.models import Payment, Refund
from payments.providers.port import ChargeReport
from payments.refunds import store as refund_store

#: Longest pause between two questions about the same payment or refund.
MAX_PAUSE = datetime.timedelta(minutes=5)


class Sweep:
    """Asks about at most `batch` payments and `batch` refunds at a time.

    `give_up_seconds`: a payment of which the provider still knows nothing by then has failed.
    """

    def __init__(self, cashier: Cashier, *, batch: int, give_up_seconds: int):
        self.cashier = cashier
        self.batch = batch
        self.give_up_time = datetime.timedelta(seconds=give_up_seconds)

    def run(self) -> None:
        """One round. What goes wrong with one payment is logged and does not touch the others."""
        self._each(self.settle_charge, self._claim(_take_charges))
        self._each(self.cashier.settle_refund, self._claim(_take_refunds))

    def settle_charge(self, taken: dict[str, Any]) -> None:
        """Ask for one charge by its key, or cancel it where that is wanted, and settle it by the
        answer."""
        provider = self.cashier.providers[taken["provider"]]
        ask = provider.cancel if taken["cancel_reason"] else provider.look_up
        report = ask(taken["known"])
        if report is None:
            report = self._given_up(taken)
        if report is not None:
            self.cashier.settle(taken["id"], report)

    def _given_up(self, taken: dict[str, Any]) -> ChargeReport | None:
        """The provider knows nothing: failed, once nobody can be on the way to it any more."""
        now = self.cashier.clock()
        patience = datetime.timedelta(0) if taken["cancel_reason"] else self.give_up_time
        if max(taken["calling_until"], taken["created_at"] + patience) > now:
            return None
        return charge_store.never_received(taken)

    def _claim(self, take: Callable[[Session, datetime.datetime, int], list]) -> list:
        with self.cashier.begin() as session:
            return take(session, self.cashier.clock(), self.batch)

    def _each(self, ask: Callable[[Any], object], taken: Iterable[Any]) -> None:
        for item in taken:
            try:
                ask(item)
            except Exception as error:  # its next check is set: it comes again
                if not outages.is_logged(error):
                    self.cashier.log.warning(
                        "sweep_failed", step=ask.__name__, error=type(error).__name__
                    )


def _take_charges(session: Session, now: datetime.datetime, limit: int) -> list[dict[str, Any]]:
    due = (
        select(Payment)
        .where(Payment.status.in_(OPEN), Payment.next_check_at <= now)
        .order_by(Payment.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for payment in session.scalars(due):
        _move_on(payment, now)
        taken.append(
            {
                "id": payment.id,
                "provider": payment.provider,
                "known": charge_store.known(payment),
                "amount": payment.amount,
                "currency": payment.currency,
                "created_at": payment.created_at,
                "calling_until": payment.calling_until,
                "cancel_reason": payment.cancel_reason,
            }
        )
    return taken


def _take_refunds(session: Session, now: datetime.datetime, limit: int) -> list[refund_store.Job]:
    due = (
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == refund_store.PENDING, Refund.next_check_at <= now)
        .order_by(Refund.next_check_at)
        .limit(limit)
        .with_for_update(of=Refund, skip_locked=True)
    )
    jobs = []
    for refund, payment in session.execute(due):
        _move_on(refund, now)
        jobs.append(refund_store.job(refund, payment))
    return jobs


def _move_on(row: Payment | Refund, now: datetime.datetime) -> None:
    """Set the next check: also the time for which nobody else takes this row up."""
    row.checks += 1
    row.next_check_at = now + pause(row.checks)


def pause(checks: int) -> datetime.timedelta:
    """How long to wait after so many questions: 2 s, 4 s, 8 s … up to `MAX_PAUSE`."""
    return min(datetime.timedelta(seconds=2 ** min(checks, 20)), MAX_PAUSE)
