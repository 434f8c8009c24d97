"""Taking and giving back money: our rows in short transactions, the provider between them.

Whatever is interrupted between two steps stays `pending` in our books and under our key in the
provider's, and `payments.jobs` brings it to the same end by the same functions.
"""

import datetime
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.errors import ProviderFault
from contracts.payments.enums import OPEN, Status
from contracts.payments.errors import PaymentActive, RefundRefused
from contracts.payments.methods import Method
from payments import queries
from payments.charges import store as charge_store
from payments.charges.store import Step
from payments.errors import ProviderTimeout
from payments.events import Publish
from payments.models import Payment, Refund, RequestKey
from payments.providers import Providers, keys
from payments.providers.port import ChargeOrder, ChargeReport, Known, Provider
from payments.providers.recent_answers import Looks
from payments.refunds import store as refund_store

#: `note(session, payment, refund)` writes into the audit trail that a refund was asked for.
NoteRefund = Callable[[Session, Payment, Refund], None]


class Cashier:
    """Charges and refunds through the providers; payments are answered as `views.shown`.

    `begin()` opens a transaction, `publish` records an event in it, `call_seconds` is the longest
    that one call to the provider takes. No transaction is open while the provider is asked.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        providers: Providers,
        publish: Publish,
        clock: Callable[[], datetime.datetime],
        call_seconds: int,
        log: Any,
        looks: Looks | None = None,
    ):
        self.begin = begin
        self.providers = providers
        self.publish = publish
        self.clock = clock
        self.log = log
        self.looks = looks or Looks()
        self.call_time = datetime.timedelta(seconds=call_seconds)

    def charge(
        self,
        *,
        order_id: uuid.UUID,
        order_number: str | None,
        user_id: uuid.UUID,
        amount: Decimal,
        currency: str,
        method: Method,
        key: str,
    ) -> dict[str, Any]:
        """The payment of (order_id, key), driven as far as the provider answers.

        A repeat gives the same payment; one that was interrupted is picked up again. One of another
        key that waits for its buyer is cancelled first, and this one takes its place. Raises
        `PaymentActive` while that cannot be, and `AlreadyPaid`.
        """
        self.providers.chosen.check(method)
        wanted = {
            "order_id": order_id,
            "order_number": order_number,
            "user_id": user_id,
            "amount": amount,
            "currency": currency,
            "key": key,
        }
        try:
            answer, known, step = self._open(**wanted)
        except PaymentActive:
            if not self.cancel(order_id, charge_store.REPLACED):
                raise
            answer, known, step = self._open(**wanted)
        if step is Step.NONE:
            return answer
        order = ChargeOrder(known.key, amount, currency, method)
        # Its own: another one may have been chosen since it was begun.
        provider = self.providers[answer["provider"]]
        return self._ask(provider, answer["id"], order, known if step is Step.RESUME else None)

    def _open(self, **wanted: Any) -> tuple[dict[str, Any], Known, Step]:
        provider, now = self.providers.chosen, self.clock()
        with self.begin() as session:
            payment, step = charge_store.open_payment(
                session,
                **wanted,
                provider=provider.name,
                test_mode=provider.test_mode,
                now=now,
                calling_until=now + self.call_time,
            )
            return queries.shown(payment), charge_store.known(payment), step

    def _ask(
        self, provider: Provider, payment_id: uuid.UUID, order: ChargeOrder, before: Known | None
    ) -> dict[str, Any]:
        """`before`: someone may have charged, and is gone; look before anything else happens."""
        try:
            report = provider.look_up(before) if before else None
            if report is None and provider is not self.providers.chosen:
                raise ProviderTimeout  # it takes nothing new; the sweep gives this payment up
            report = report or provider.create(order, partial(self._note, payment_id))
            self.looks.keep(payment_id, self.clock(), report)
        except ProviderTimeout:
            with self.begin() as session:
                return queries.shown(charge_store.leave_unknown(session, payment_id, self.clock()))
        return self.settle(payment_id, report)

    def _note(self, payment_id: uuid.UUID, reference: str) -> None:
        """Raises `ProviderTimeout`, so that nothing is confirmed, when the payment was given up."""
        with self.begin() as session:
            payment = session.get_one(Payment, payment_id, with_for_update=True)
            payment.provider_reference = reference
            payment.return_reference = payment.return_reference or reference
            is_given_up = payment.status != Status.PENDING or payment.cancel_reason is not None
        if is_given_up:
            raise ProviderTimeout

    def cancel(self, order_id: uuid.UUID, reason: str) -> bool:
        """Cancel the payment of an order that is not decided yet, at the provider first; whether
        nothing is open any more. Money that came meanwhile counts.

        It is noted before, so that the sweep cancels what is interrupted here. One that somebody is
        just charging stays open: the sweep cancels it afterwards for an order that was cancelled.
        """
        now = self.clock()
        with self.begin() as session:
            payment = charge_store.lock_open(session, order_id)
            if payment is None:
                return True
            if not charge_store.begin_to_cancel(payment, reason, now, now + self.call_time):
                return False
            found, known = queries.shown(payment), charge_store.known(payment)
        try:
            report = self.providers[found["provider"]].cancel(known)
        except ProviderTimeout:
            return False
        settled = self.settle(found["id"], report or charge_store.never_received(found))
        return settled["status"] not in OPEN

    def led_on(self, payment: Mapping[str, Any]) -> Mapping[str, Any]:
        """`payment` with the address at which the buyer's bank asks them, while it waits for that;
        without it when the provider does not answer: look again.

        It may have a secret of the buyer in it, and is then asked for, and never stored.
        """
        if payment["status"] != Status.REQUIRES_ACTION or payment["action_url"]:
            return payment
        report = None if payment["cancel_reason"] else self._look(payment)
        return {**payment, "action_url": report.private_url if report else None}

    def looked_after(self, payment: Mapping[str, Any]) -> Mapping[str, Any]:
        """`payment` as the provider sees it by now, while it is not decided."""
        report = self._look(payment) if payment["status"] in OPEN else None
        is_news = report is not None and report.status != payment["status"]
        return self.settle(payment["id"], report) if is_news else payment

    def _look(self, payment: Mapping[str, Any]) -> ChargeReport | None:
        """What the provider says of it, asked once in a few seconds; None without an answer."""
        known = Known(keys.key_of(keys.PAYMENT, payment["id"]), payment["provider_reference"])
        try:
            provider = self.providers[payment["provider"]]
            return self.looks.ask(payment["id"], self.clock(), partial(provider.look_up, known))
        except (ProviderTimeout, ProviderFault):
            return None

    def settle(self, payment_id: uuid.UUID, report: ChargeReport) -> dict[str, Any]:
        """Bring a payment to what the provider reports."""
        with self.begin() as session:
            payment = charge_store.settle(session, payment_id, report, self.clock(), self.publish)
            answer, superseded = queries.shown(payment), payment.superseded
        self.log.info("payment_settled", payment_id=str(payment_id), status=answer["status"])
        if superseded:
            self.log.warning(
                "given_back_at_once",
                payment_id=str(payment_id),
                order_id=str(answer["order_id"]),
                reason=answer["failure_code"],
            )
        return answer

    def refund(
        self,
        *,
        payment_id: uuid.UUID,
        amount: Decimal | None,
        reason: str,
        key: str | None,
        by: uuid.UUID | None,
        note: NoteRefund,
    ) -> tuple[dict[str, Any], bool]:
        """Give `amount` (None: all that is left) back; the payment, and whether it is a repeat.
        `note` is told of a new one.

        A repeat under `key` answers with the payment as it is by then. While the provider has not
        answered, the payment does not show the refund yet. Raises `RefundRefused`.
        """
        asked = idempotency.fingerprint(payment_id=payment_id, amount=amount, reason=reason)
        with self.begin() as session:
            payment = refund_store.lock_payment(session, payment_id)
            now = self.clock()
            claim = idempotency.claim(session, RequestKey, by, "refund", key, asked, now)
            if claim.is_new:
                refund = self.open_refund(
                    session, payment, amount, reason, key=str(claim.resource_id), by=by
                )
                note(session, payment, refund)
            else:
                refund = refund_store.find(session, payment, str(claim.resource_id))
            job = refund_store.job(refund, payment)
        status = self.settle_refund(job) if claim.is_new else job.status
        if status == refund_store.FAILED:
            raise RefundRefused
        with self.begin() as session:
            payment = queries.shown(session.get_one(Payment, payment_id))
        return payment, not claim.is_new

    def open_order_refund(
        self, session: Session, due: dict[str, Any], key: str
    ) -> refund_store.Job | None:
        """Reserve what an order still has to get back; None when that is nothing."""
        found = refund_store.due_for_order(
            session, due["order_id"], due["payment_id"], due["amount"], due["currency"]
        )
        if found is None:
            return None
        payment, amount = found
        refund = self.open_refund(session, payment, amount, due["reason"], key=key)
        return refund_store.job(refund, payment)

    def open_refund(self, session, payment, amount, reason, *, key, by=None):
        """A pending refund that this process is about to ask the provider for."""
        now = self.clock()
        return refund_store.open_refund(
            session,
            payment,
            amount=amount,
            reason=reason,
            key=key,
            by=by,
            now=now,
            next_check_at=now + self.call_time,
        )

    def settle_refund(self, job: refund_store.Job) -> str:
        """Ask the provider for a pending refund and book its answer; the refund's state.

        It stays pending when no answer comes: the sweep asks again under the same key.
        """
        try:
            report = self.providers[job.provider].refund(job.order)
        except ProviderTimeout:
            return refund_store.PENDING
        with self.begin() as session:
            status = refund_store.settle(session, job, report, self.clock(), self.publish).status
        log = self.log.info if report.done else self.log.error
        log("refund_settled", refund_id=str(job.refund_id), status=status)
        return status
