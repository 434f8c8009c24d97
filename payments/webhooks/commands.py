"""Webhooks: what a provider tells without being asked.

    receive     the signature is checked and the event stored, then it is answered     transaction
    process     a timer asks the provider about the charge that the event names
    settle      the payment, and what the provider's books have besides, is booked     transactions

An event is believed only so far that a charge is worth a look. What is booked is what the provider
says when it is asked then, so it does no harm when events are late, doubled, out of order or never
come: the sweep asks as well.
"""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Fault
from payments import checks
from payments.charges import commands as charges
from payments.charges import store as charge_store
from payments.context import Context
from payments.errors import WebhookRefused
from payments.models import Payment, ReceivedWebhook, RefusedWebhooks
from payments.providers import keys
from payments.providers.port import Provider, WebhookEvent
from payments.webhooks import provider_transactions

#: Looks into one event before it is given up; the last ones are 5 minutes apart.
MAX_TRIES = 12
#: How long events are kept, for whoever asks what was told.
KEPT = datetime.timedelta(days=30)
#: Rows that one statement deletes.
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A stored event that this process looks into; outlives the session it was read in."""

    id: int
    provider: str
    event_id: str
    reference: str | None
    key: str | None
    tries: int


def receive(context: Context, provider: str, body: str, signature: str | None) -> None:
    """Store an event of `provider`; one that is there already changes nothing.

    Raises `NotFound` for a provider that is not set up here, and `WebhookRefused` when the
    signature does not hold, which is counted.
    """
    sender = context.providers.reachable(provider)
    try:
        event = sender.read_webhook(body, signature)
    except WebhookRefused as refused:
        context.log.warning("webhook_refused", provider=provider, reason=refused.reason)
        with context.db.begin() as session:
            _count_refusal(session, context.clock().date(), provider, refused.reason)
        raise
    with context.db.begin() as session:
        _store(session, provider, event, context.clock())


def _store(session: Session, provider: str, event: WebhookEvent, now: datetime.datetime) -> None:
    row = insert(ReceivedWebhook).values(
        provider=provider,
        event_id=event.id,
        type=event.type,
        reference=event.reference,
        key=event.key,
        received_at=now,
        next_try_at=now,
    )
    session.execute(row.on_conflict_do_nothing())


def _count_refusal(session: Session, day: datetime.date, provider: str, reason: str) -> None:
    first = insert(RefusedWebhooks).values(day=day, provider=provider, reason=reason, count=1)
    one_more = {"count": RefusedWebhooks.count + 1}
    key = [RefusedWebhooks.day, RefusedWebhooks.provider, RefusedWebhooks.reason]
    session.execute(first.on_conflict_do_update(index_elements=key, set_=one_more))


def process(context: Context) -> None:
    """Look into what was told. One that fails is tried again later, and the others go on."""
    with context.db.begin() as session:
        taken = _take_due(session, context.clock(), context.settings["sweep_batch"])
    for event in taken:
        try:
            outcome = look_into(context, event)
        except Exception as error:
            given_up = event.tries >= MAX_TRIES
            context.log.warning(
                "webhook_postponed",
                provider=event.provider,
                event_id=event.event_id,
                error=type(error).__name__,
                given_up=given_up,
            )
            if not given_up:
                continue
            outcome = "given up"
        with context.db.begin() as session:
            row = session.get_one(ReceivedWebhook, event.id)
            row.processed_at, row.outcome = context.clock(), outcome


def _take_due(session: Session, now: datetime.datetime, limit: int) -> list[Taken]:
    due = (
        select(ReceivedWebhook)
        .where(ReceivedWebhook.processed_at.is_(None), ReceivedWebhook.next_try_at <= now)
        .order_by(ReceivedWebhook.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for row in session.scalars(due):
        row.tries += 1
        row.next_try_at = now + checks.pause(row.tries)
        taken.append(Taken(row.id, row.provider, row.event_id, row.reference, row.key, row.tries))
    return taken


def look_into(context: Context, event: Taken) -> str:
    """Ask the provider about the charge that the event names, and book what it says; what came of
    that, in a word."""
    if event.reference is None and event.key is None:
        return "ignored"
    provider = context.providers[event.provider]
    with context.db.begin() as session:
        payment = session.scalars(_payment_of(event)).first()
        if payment is None:
            return "unknown charge"
        payment_id, known = payment.id, charge_store.known(payment)
    report = provider.look_up(known)
    if report is None:
        return "nothing moved"
    charges.settle(context, payment_id, report)
    if report.reference is not None:
        _book_transactions(context, provider, payment_id, report.reference)
    return "booked"


def _payment_of(event: Taken) -> Select[Payment]:
    """By the provider's name for the charge, or by our own key in it."""
    named: list[ColumnElement[bool]] = []
    if event.reference:
        named.append(Payment.provider_reference == event.reference)
    if payment_id := keys.id_of(keys.PAYMENT, event.key):
        named.append(Payment.id == payment_id)
    return select(Payment).where(Payment.provider == event.provider, or_(False, *named))


def _book_transactions(
    context: Context, provider: Provider, payment_id: uuid.UUID, charge: str
) -> None:
    """Book each; raises what one of them was refused for, after the others."""
    refused: Fault | None = None
    for transaction in provider.transactions_of(charge):
        try:
            with context.db.begin() as session:
                provider_transactions.book(context, session, payment_id, transaction)
        except Fault as fault:
            refused = fault
    if refused is not None:
        raise refused


def forget(context: Context) -> None:
    """Delete what was looked into long ago."""
    over = ReceivedWebhook.processed_at <= context.clock() - KEPT
    old = select(ReceivedWebhook.id).where(over).limit(BATCH)
    deleted = BATCH
    while deleted == BATCH:
        with context.db.begin() as session:
            chosen = ReceivedWebhook.id.in_(old.with_for_update(skip_locked=True))
            gone: Any = session.execute(delete(ReceivedWebhook).where(chosen))
            deleted = gone.rowcount
