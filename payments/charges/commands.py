"""Taking money for an order, and calling a payment off: our rows in short transactions, and the
provider between them.

    open      the payment is `pending`, and nobody else drives it                     transaction
    ask       the provider charges under our key; no transaction is open meanwhile
    settle    the payment is what the provider reports, with ledger and event         transaction

Whatever is interrupted between two steps stays `pending` in our books and under our key in the
provider's. A repeat, a webhook and the sweep (`payments.jobs`) bring it to the same end by the same
`settle`.
"""

import datetime
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.errors import ProviderFault
from chassis.messages import Json
from chassis.steps import Step
from contracts.payments.enums import OPEN, FailureCode, Status
from contracts.payments.errors import PaymentActive
from contracts.payments.methods import PaymentMethod
from payments import published
from payments.charges import lifecycle, queries, store
from payments.charges.store import NextCall
from payments.context import Context, call_ends_at
from payments.errors import ProviderTimeout
from payments.ledger import store as ledger
from payments.models import Payment
from payments.providers.port import ChargeReport, ChargeRequest, KnownCharge
from payments.refunds import store as refund_store
from payments.views import PaymentView, shown

OPENED = Step("payments.charge.opened")
ANSWERED = Step("payments.charge.answered")
SETTLED = Step("payments.charge.settled")
CANCEL_NOTED = Step("payments.cancel.noted")
CANCEL_ANSWERED = Step("payments.cancel.answered")
CANCEL_SETTLED = Step("payments.cancel.settled")


def charge(
    context: Context,
    *,
    order_id: uuid.UUID,
    order_number: str | None,
    user_id: uuid.UUID,
    amount: Decimal,
    currency: str,
    method: PaymentMethod,
    key: str,
) -> PaymentView:
    """The payment of (order_id, key), driven as far as the provider answers.

    A repeat gives the same payment; one that was interrupted is picked up again. One of another
    key that waits for its buyer is cancelled first, and this one takes its place. Raises
    `PaymentActive` while that cannot be, and `AlreadyPaid`.
    """
    amount = currencies.exact(amount, currency)
    context.providers.chosen.check(method, amount, currency)
    wanted = {
        "order_id": order_id,
        "order_number": order_number,
        "user_id": user_id,
        "amount": amount,
        "currency": currency,
        "key": key,
    }
    try:
        payment, next_call = _open(context, wanted)
    except PaymentActive:
        if not cancel(context, order_id, FailureCode.REPLACED):
            raise
        payment, next_call = _open(context, wanted)
    if next_call is NextCall.NONE:
        return payment
    OPENED.reached()
    known = store.known(payment)
    request = ChargeRequest(known.key, amount, currency, method)
    return ask(context, payment, request, known if next_call is NextCall.RESUME else None)


def _open(context: Context, wanted: dict[str, Any]) -> tuple[PaymentView, NextCall]:
    """By one statement when it is new, which is the rule."""
    now, calling_until = context.clock(), call_ends_at(context)
    with context.db.autocommit() as connection:
        made = store.insert_payment(
            connection, wanted, context.providers.chosen, now, calling_until
        )
    if made is not None:
        return made, NextCall.CREATE
    with context.db.begin() as session:
        payment, next_call = store.resume(session, wanted, now, calling_until)
        return shown(payment), next_call


def ask(
    context: Context, payment: PaymentView, request: ChargeRequest, before: KnownCharge | None
) -> PaymentView:
    """Have the provider charge, and settle the payment by its answer; without one it stays pending.

    `before`: someone may have charged, and is gone; look before anything else happens.
    """
    payment_id = payment["id"]
    # Its own: another one may have been chosen since it was begun.
    provider = context.providers[payment["provider"]]
    try:
        report = provider.look_up(before) if before else None
        if report is None and provider is not context.providers.chosen:
            raise ProviderTimeout  # it takes nothing new; the sweep gives this payment up
        report = report or provider.create(request, partial(note_reference, context, payment_id))
        context.recent_answers.keep(payment_id, context.clock(), report)
    except ProviderTimeout:
        with context.db.begin() as session:
            left = store.leave_unknown(session, payment_id, context.clock())
            return shown(left)
    ANSWERED.reached()
    return settle(context, payment, report)


def note_reference(context: Context, payment_id: uuid.UUID, reference: str) -> None:
    """Store the provider's reference before any money can move. Raises `ProviderTimeout`, so that
    nothing is confirmed, when the payment was given up."""
    with context.db.autocommit() as connection:
        is_wanted = store.note_reference(connection, payment_id, reference)
    if not is_wanted:
        raise ProviderTimeout


def settle(context: Context, payment: PaymentView, report: ChargeReport) -> PaymentView:
    """Bring a payment to what the provider reports, once; old and repeated reports change nothing.

    The one way to a decision, for the caller's own answer, the sweep and webhooks alike. Raises
    `AnswerMismatch` for money that cannot be ours to book.
    """
    settled = _capture_whole(context, payment, report)
    if settled is None:
        settled = _settle_locked(context, payment["id"], report)
    context.log.info("payment_settled", payment_id=str(settled["id"]), status=settled["status"])
    SETTLED.reached()
    return settled


def _capture_whole(
    context: Context, payment: PaymentView, report: ChargeReport
) -> PaymentView | None:
    """The rule, by one statement: all that an open payment asks for was taken. None when it is
    otherwise, which is decided under its lock."""
    if not lifecycle.is_whole(payment["amount"], payment["currency"], report):
        return None
    event, now = published.succeeded(context, payment), context.clock()
    with context.db.autocommit() as connection:
        settled = store.capture_whole(connection, payment["id"], report.reference, event, now)
    if settled is not None:
        context.events.hand_over(event)
    return settled


def _settle_locked(context: Context, payment_id: uuid.UUID, report: ChargeReport) -> PaymentView:
    with context.db.begin() as session:
        payment = session.get_one(Payment, payment_id, with_for_update=True)
        if not payment.captured and lifecycle.advances(payment.status, report.status):
            _apply(context, session, payment, report)
        settled, superseded = shown(payment), payment.superseded
    if superseded:
        context.log.warning(
            "given_back_at_once",
            payment_id=str(payment_id),
            order_id=str(settled["order_id"]),
            reason=settled["failure_code"],
        )
    return settled


def _apply(context: Context, session: Session, payment: Payment, report: ChargeReport) -> None:
    """A report that changes the locked payment."""
    in_part = lifecycle.is_in_part(payment.amount, payment.currency, report)
    was_given_up = payment.status == Status.FAILED
    payment.provider_reference = report.reference or payment.provider_reference
    payment.action_url = None if payment.cancel_reason else report.action_url
    payment.failure_code = report.failure_code
    if payment.cancel_reason:
        payment.next_check_at = context.clock()  # what still waits is cancelled by the sweep
    if in_part:
        _give_back_at_once(context, session, payment, report.amount, FailureCode.PARTIAL_CAPTURE)
        if not was_given_up:
            published.record_failed(context, session, payment)
        return
    if was_given_up and not _takes_its_place_again(session, payment):
        _give_back_at_once(context, session, payment, report.amount, FailureCode.PAID_TWICE)
        return
    payment.status = report.status
    if report.status == Status.SUCCEEDED:
        ledger.capture(session, payment, report.amount, context.clock())
        published.record_succeeded(context, session, payment)
    elif report.status == Status.FAILED and payment.cancel_reason:
        payment.failure_code = payment.cancel_reason
        published.record_cancelled(context, session, payment)
    elif report.status == Status.FAILED:
        published.record_failed(context, session, payment)


def _takes_its_place_again(session: Session, payment: Payment) -> bool:
    """Money came for a payment that was given up: true when no other has taken its place."""
    try:
        with session.begin_nested():
            payment.status = Status.SUCCEEDED
            session.flush()
    except IntegrityError:
        session.refresh(payment)
        return False
    return True


def _give_back_at_once(
    context: Context, session: Session, payment: Payment, amount: Decimal, why: FailureCode
) -> None:
    """Money that pays for nothing is booked and goes back, and the payment has failed for good: in
    any other state its order would count it."""
    now = context.clock()
    payment.superseded = True
    payment.status = Status.FAILED
    payment.failure_code = why
    ledger.capture(session, payment, amount, now)
    refund_store.open_refund(
        session, payment, amount=None, reason=why, key="superseded", by=None,
        now=now, next_check_at=now,
    )  # fmt: skip


def cancel(context: Context, order_id: uuid.UUID, reason: FailureCode) -> bool:
    """Cancel the payment of an order that is not decided yet, at the provider first; whether
    nothing is open any more. Money that came meanwhile counts.

    It is noted before, so that the sweep cancels what is interrupted here. One that somebody is
    just charging stays open: the sweep cancels it afterwards for an order that was cancelled.
    """
    with context.db.begin() as session:
        payment = store.lock_open(session, order_id)
        if payment is None:
            return True
        if not store.begin_to_cancel(payment, reason, context.clock(), call_ends_at(context)):
            return False
        found = shown(payment)
    CANCEL_NOTED.reached()
    try:
        report = context.providers[found["provider"]].cancel(store.known(found))
    except ProviderTimeout:
        return False
    CANCEL_ANSWERED.reached()
    unknown = lifecycle.never_received(found["amount"], found["currency"])
    settled = settle(context, found, report or unknown)
    CANCEL_SETTLED.reached()
    return settled["status"] not in OPEN


def refresh(context: Context, payment: PaymentView) -> PaymentView:
    """`payment` as the provider sees it by now, while it is not decided."""
    report = _look_up(context, payment) if payment["status"] in OPEN else None
    if report is None or report.status == payment["status"]:
        return payment
    return settle(context, payment, report)


def find_returned(context: Context, provider: str, reference: str) -> Json:
    """The payment of the buyer who comes back from the provider's page, as the provider sees it by
    now; raises `NotFound` for a reference that is not in our books, about which nobody is asked."""
    context.providers.reachable(provider)
    with context.db.autocommit() as connection:
        found = queries.by_reference(connection, provider, reference)
    payment = refresh(context, found)
    return {
        "order_id": payment["order_id"],
        "payment_id": payment["id"],
        "status": payment["status"],
    }


def with_redirect_url(context: Context, payment: PaymentView) -> PaymentView:
    """`payment` with the address at which the buyer's bank asks them, while it waits for that;
    without it when the provider does not answer: look again.

    It may have a secret of the buyer in it, and is then asked for, and never stored.
    """
    if payment["status"] != Status.REQUIRES_ACTION or payment["action_url"]:
        return payment
    report = None if payment["cancel_reason"] else _look_up(context, payment)
    return {**payment, "action_url": report.private_url if report else None}


def _look_up(context: Context, payment: PaymentView) -> ChargeReport | None:
    """What the provider says of it, asked once in a few seconds; None without an answer."""
    try:
        look_up = partial(context.providers[payment["provider"]].look_up, store.known(payment))
        return context.recent_answers.ask(payment["id"], context.clock(), look_up)
    except (ProviderTimeout, ProviderFault):
        return None


def settle_overdue(context: Context, payment: PaymentView) -> None:
    """Ask for one charge by its key, or cancel it where that is wanted, and settle it by what the
    provider says. One of which it knows nothing has failed, once nobody can be on the way to it."""
    provider = context.providers[payment["provider"]]
    ask_about = provider.cancel if payment["cancel_reason"] else provider.look_up
    report = ask_about(store.known(payment))
    if report is None and _is_given_up(context, payment):
        report = lifecycle.never_received(payment["amount"], payment["currency"])
    if report is not None:
        settle(context, payment, report)


def _is_given_up(context: Context, payment: PaymentView) -> bool:
    seconds = 0 if payment["cancel_reason"] else context.settings["give_up_seconds"]
    given_up_at = payment["created_at"] + datetime.timedelta(seconds=seconds)
    return max(payment["calling_until"], given_up_at) <= context.clock()
