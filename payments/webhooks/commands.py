"""Webhooks: what a provider tells without being asked.

    receive     the signature is checked and the event stored, then it is answered     statement
    process     a timer asks the provider about the charge that the event names
    settle      the payment, and what the provider's books have besides, is booked     transactions

An event is believed only so far that a charge is worth a look: what is booked is what the provider
says when it is asked then. So it does no harm when events are late, doubled, out of order or never
come: the sweep asks as well. One that tells of a charge what our books say already is stored as
settled, and nobody is asked.
"""

import datetime
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    UUID,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Text,
    bindparam,
    delete,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Fault
from contracts.payments.enums import Status
from payments import checks
from payments.charges import commands as charges
from payments.charges import store as charge_store
from payments.context import Context
from payments.errors import WebhookRefused
from payments.models import Payment, ReceivedWebhook, RefusedWebhooks
from payments.providers import keys
from payments.providers.port import ProviderTransaction, WebhookEvent
from payments.views import SHOWN
from payments.webhooks import provider_transactions

#: Looks into one event before it is given up; the last ones are 5 minutes apart.
MAX_TRIES = 12
#: How long events are kept, for whoever asks what was told.
KEPT = datetime.timedelta(days=30)
#: Rows that one statement deletes.
BATCH = 1000


class Taken(NamedTuple):
    """A stored event that this process looks into; outlives the session it was read in."""

    id: int
    provider: str
    event_id: str
    reference: str | None
    key: str | None
    tries: int


# The payment of the charge that the event names, if it is as the event tells: of the amount all was
# taken or nothing, and nothing went back or is about to. Then nobody need look into it.
_STORE = text(
    f"""
    INSERT INTO provider_notices (provider, event_id, type, reference, key, received_at,
        next_try_at, processed_at, outcome)
    SELECT :provider, :event_id, :type, :reference, :key, :received_at, :received_at,
        CASE WHEN is_settled THEN :received_at END, CASE WHEN is_settled THEN 'settled' END
    FROM (SELECT EXISTS (
        SELECT FROM payments
        WHERE provider = :provider
            AND (provider_reference = :reference OR return_reference = :reference)
            AND (id = :payment_id OR NOT :is_named)
            AND status = :status AND refunding = 0
            AND captured = CASE WHEN status = '{Status.SUCCEEDED}' THEN amount ELSE 0 END
    ) AS is_settled) AS told
    ON CONFLICT DO NOTHING
    """  # noqa: S608  (a word of ours)
).bindparams(
    *(bindparam(name, type_=Text) for name in ("reference", "key", "status")),
    bindparam("received_at", type_=DateTime(timezone=True)),
    bindparam("payment_id", type_=UUID),
)


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
        with context.db.autocommit() as connection:
            _count_refusal(connection, context.clock().date(), provider, refused.reason)
        raise
    with context.db.autocommit() as connection:
        _store(connection, provider, event, context.clock())


def _store(
    connection: Connection, provider: str, event: WebhookEvent, now: datetime.datetime
) -> None:
    row = {
        "provider": provider,
        "event_id": event.id,
        "type": event.type,
        "reference": event.reference,
        "key": event.key,
        "received_at": now,
    }
    told = {
        "status": event.status,
        "is_named": event.key is not None,
        "payment_id": keys.id_of(keys.PAYMENT, event.key),
    }
    connection.execute(_STORE, row | told)


def _count_refusal(connection: Connection, day: datetime.date, provider: str, reason: str) -> None:
    first = insert(RefusedWebhooks).values(day=day, provider=provider, reason=reason, count=1)
    one_more = {"count": RefusedWebhooks.count + 1}
    key = [RefusedWebhooks.day, RefusedWebhooks.provider, RefusedWebhooks.reason]
    connection.execute(first.on_conflict_do_update(index_elements=key, set_=one_more))


def process(context: Context) -> None:
    """Look into what was told. One that fails is tried again later, and the others go on."""
    with context.db.autocommit() as connection:
        taken = _take_due(connection, context.clock(), context.settings["sweep_batch"])
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
        done = update(ReceivedWebhook).where(ReceivedWebhook.id == event.id)
        with context.db.autocommit() as connection:
            connection.execute(done.values(processed_at=context.clock(), outcome=outcome))


def _take_due(connection: Connection, now: datetime.datetime, limit: int) -> list[Taken]:
    is_open = ReceivedWebhook.processed_at.is_(None)
    due = checks.due(ReceivedWebhook.id, is_open, ReceivedWebhook.next_try_at, now, limit)
    tries = ReceivedWebhook.tries + 1
    taken = (
        update(ReceivedWebhook)
        .where(ReceivedWebhook.id == due.c.id)
        .values(tries=tries, next_try_at=checks.next_check(tries, now))
        .returning(
            ReceivedWebhook.id,
            ReceivedWebhook.provider,
            ReceivedWebhook.event_id,
            ReceivedWebhook.reference,
            ReceivedWebhook.key,
            ReceivedWebhook.tries,
        )
    )
    return [Taken(*row) for row in connection.execute(taken)]


def look_into(context: Context, event: Taken) -> str:
    """Ask the provider about the charge that the event names, and book what it says; what came of
    that, in a word."""
    if event.reference is None and event.key is None:
        return "ignored"
    provider = context.providers[event.provider]
    with context.db.autocommit() as connection:
        payment = connection.execute(_payment_of(event)).mappings().first()
    if payment is None:
        return "unknown charge"
    charge = payment["provider_reference"]
    if not payment["captured"]:
        report = provider.look_up(charge_store.known(payment))
        if report is None:
            return "nothing moved"
        charges.settle(context, payment, report)
        charge = report.reference
    if charge is not None:
        _book_transactions(context, payment["id"], provider.transactions_of(charge))
    return "booked"


def _payment_of(event: Taken) -> Select[*tuple[Any, ...]]:
    """By the provider's name for the charge, or by our own key in it."""
    named: list[ColumnElement[bool]] = []
    if event.reference:
        named.append(Payment.provider_reference == event.reference)
    if payment_id := keys.id_of(keys.PAYMENT, event.key):
        named.append(Payment.id == payment_id)
    wanted = select(*SHOWN, Payment.captured)
    return wanted.where(Payment.provider == event.provider, or_(False, *named))


def _book_transactions(
    context: Context, payment_id: uuid.UUID, moved: Iterable[ProviderTransaction]
) -> None:
    """Book each; raises what one of them was refused for, after the others."""
    with context.db.autocommit() as connection:
        unbooked = provider_transactions.unbooked(connection, payment_id, moved)
    refused: Fault | None = None
    for transaction in unbooked:
        try:
            with context.db.begin() as session:
                provider_transactions.book(context, session, payment_id, transaction)
        except Fault as fault:
            refused = fault
    if refused is not None:
        raise refused


def purge(context: Context) -> None:
    """Delete what was looked into long ago."""
    over = ReceivedWebhook.processed_at <= context.clock() - KEPT
    old = select(ReceivedWebhook.id).where(over).limit(BATCH)
    deleted = BATCH
    while deleted == BATCH:
        chosen = ReceivedWebhook.id.in_(old.with_for_update(skip_locked=True))
        with context.db.autocommit() as connection:
            deleted = connection.execute(delete(ReceivedWebhook).where(chosen)).rowcount
