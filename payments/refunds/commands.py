"""Giving money back.

    open        the amount is reserved on the payment, and the refund is `pending`    transaction
    ask         the provider gives back under our key; no transaction is open meanwhile
    settle      the refund is what the provider reports, with ledger and event        transaction

What is interrupted in between stays `pending`, and the sweep (`payments.jobs`) asks again.
"""

import uuid
from decimal import Decimal

from sqlalchemy.orm import Session

from chassis import idempotency, staff
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.steps import Step
from contracts.payments.enums import RefundStatus
from contracts.payments.errors import RefundRefused
from contracts.users.enums import Action, Target
from payments.context import Context, call_ends_at
from payments.errors import ProviderTimeout
from payments.models import Payment, Refund, RequestKey
from payments.refunds import requests, store
from payments.refunds.store import PendingRefund
from payments.views import view_of

OPENED = Step("payments.refund.opened")
ANSWERED = Step("payments.refund.answered")
SETTLED = Step("payments.refund.settled")


def refund(
    context: Context,
    *,
    payment_id: uuid.UUID,
    amount: Decimal | None,
    reason: str,
    key: str | None,
    actor: Actor,
) -> Json:
    """Give `amount` (None: all that is left) back; the payment, and whether it is a repeat.

    A repeat under `key` answers with the payment as it is by then. While the provider has not
    answered, the payment does not show the refund yet. Raises `RefundRefused`, and what
    `store.open_refund` raises.
    """
    asked = idempotency.fingerprint(payment_id=payment_id, amount=amount, reason=reason)
    with context.db.begin() as session:
        payment = store.lock_payment(session, payment_id)
        claim = idempotency.claim(
            session, RequestKey, actor.user_id, "refund", key, asked, context.clock()
        )
        if claim.is_new:
            made = _open(context, session, payment, amount, reason, str(claim.resource_id), actor)
            _note(context, session, payment, made, actor)
        else:
            made = store.find(session, payment, str(claim.resource_id))
        status, pending = made.status, store.pending(made, payment)
    if claim.is_new:
        status = complete(context, pending)
    if status == RefundStatus.FAILED:
        raise RefundRefused
    with context.db.autocommit() as connection:
        payment_view = view_of(connection, payment_id)
    return {**payment_view, "replayed": not claim.is_new}


def open_for_order(context: Context, session: Session, event: Event) -> PendingRefund | None:
    """Reserve what an order still has to get back (`contracts.orders.events.RefundDue`); None when
    that is nothing, or was asked for before. Raises what `store.due_for_order` raises."""
    due = event.payload
    key = requests.key_of(due["request_id"] or event.id)
    found = store.due_for_order(
        session, due["order_id"], due["payment_id"], due["amount"], due["currency"], key
    )
    if found is None:
        return None
    payment, amount = found
    made = _open(context, session, payment, amount, due["reason"], key, Actor.SYSTEM)
    return store.pending(made, payment)


def _open(
    context: Context,
    session: Session,
    payment: Payment,
    amount: Decimal | None,
    reason: str,
    key: str,
    actor: Actor,
) -> Refund:
    """A pending refund that this process is about to ask the provider for."""
    return store.open_refund(
        session,
        payment,
        amount=amount,
        reason=reason,
        key=key,
        by=actor.user_id,
        now=context.clock(),
        next_check_at=call_ends_at(context),
    )


def complete(context: Context, pending: PendingRefund) -> str:
    """Ask the provider for a pending refund and book its answer; the refund's state.

    It stays pending when no answer comes: the sweep asks again under the same key.
    """
    OPENED.reached()
    try:
        report = context.providers[pending.provider].refund(pending.request)
    except ProviderTimeout:
        return RefundStatus.PENDING
    ANSWERED.reached()
    with context.db.begin() as session:
        status = store.settle(context, session, pending, report)
    log = context.log.info if report.done else context.log.error
    log("refund_settled", refund_id=str(pending.refund_id), status=status)
    SETTLED.reached()
    return status


def _note(context: Context, session: Session, payment: Payment, made: Refund, actor: Actor) -> None:
    """Tell the audit trail that a member of staff has asked for it."""
    staff.tell(
        context,
        session,
        actor,
        Action.REFUND_REQUESTED,
        Target.PAYMENT,
        payment.id,
        payment.user_id,
        order_id=str(payment.order_id),
        refund_id=str(made.id),
        amount=str(made.amount),
        currency=payment.currency,
    )
