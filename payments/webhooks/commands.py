"""Webhooks: what a provider tells without being asked.

A notice is believed only so far that a charge is worth a look. What is booked is what the provider
says when it is asked then, so it does no harm when notices are late, doubled, out of order or never
come: the sweep asks as well. They are stored before they are answered, and looked into after that.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Fault, NotFound
from contracts.payments.errors import PaymentNotFound, ProviderNotConfigured
from payments import jobs, queries
from payments.cashier import Cashier
from payments.charges import store as charge_store
from payments.errors import WebhookRefused
from payments.ledger import provider_transactions
from payments.models import Payment, ProviderNotice, RefusedNotices
from payments.providers import keys
from payments.providers.port import Notice, Provider
from payments.providers.simulator import Simulator

#: Looks into one notice before it is given up; the last ones are 5 minutes apart.
MAX_TRIES = 12
#: How long notices are kept, for whoever asks what was told.
KEPT = datetime.timedelta(days=30)
#: Rows that one statement deletes.
BATCH = 1000


def receive(cashier: Cashier, provider: str, body: str, signature: str | None) -> None:
    """Store a notice of `provider`; one that is there already changes nothing.

    Raises `NotFound` for a provider that is not set up here, and `WebhookRefused` when the
    signature does not hold, which is counted.
    """
    now, sender = cashier.clock(), _sender(cashier, provider)
    try:
        notice = sender.read_notice(body, signature)
    except WebhookRefused as refused:
        cashier.log.warning("webhook_refused", provider=provider, reason=refused.reason)
        with cashier.begin() as session:
            _count(session, now.date(), provider, refused.reason)
        raise
    with cashier.begin() as session:
        session.execute(_row(provider, notice, now).on_conflict_do_nothing())


def digest(cashier: Cashier, batch: int) -> None:
    """Look into what was told. One that fails is tried again later, and the others go on."""
    with cashier.begin() as session:
        taken = _take(session, cashier.clock(), batch)
    for notice in taken:
        try:
            outcome = _look_into(cashier, notice)
        except Exception as error:
            given_up = notice["tries"] >= MAX_TRIES
            cashier.log.warning(
                "webhook_postponed",
                provider=notice["provider"],
                event_id=notice["event_id"],
                error=type(error).__name__,
                given_up=given_up,
            )
            if not given_up:
                continue
            outcome = "given up"
        with cashier.begin() as session:
            row = session.get_one(ProviderNotice, notice["id"])
            row.processed_at, row.outcome = cashier.clock(), outcome


def returned(cashier: Cashier, provider: str, reference: str) -> Mapping[str, Any]:
    """The payment of the buyer who comes back from the provider's page, as the provider sees it by
    now; raises `NotFound` for a reference that is not in our books, about which nobody is asked."""
    _sender(cashier, provider)
    names = or_(Payment.provider_reference == reference, Payment.return_reference == reference)
    with cashier.begin() as session:
        payment = session.scalars(
            select(Payment).where(Payment.provider == provider, names).limit(1)
        ).first()
        if payment is None:
            raise PaymentNotFound
        found = queries.shown(payment)
    found = cashier.looked_after(found)
    return {"order_id": found["order_id"], "payment_id": found["id"], "status": found["status"]}


def forget(cashier: Cashier) -> None:
    """Delete what was looked into long ago."""
    over = ProviderNotice.processed_at <= cashier.clock() - KEPT
    old = select(ProviderNotice.id).where(over).limit(BATCH)
    deleted = BATCH
    while deleted == BATCH:
        with cashier.begin() as session:
            chosen = ProviderNotice.id.in_(old.with_for_update(skip_locked=True))
            deleted = session.execute(delete(ProviderNotice).where(chosen)).rowcount


def _sender(cashier: Cashier, name: str) -> Provider:
    """The provider of that name, at whose door somebody is; a simulator that nobody has asked for
    has none."""
    is_open = name != Simulator.name or cashier.providers.chosen.name == name
    try:
        if is_open:
            return cashier.providers[name]
    except ProviderNotConfigured:
        pass
    raise NotFound("This payment provider is not set up here.")


def _row(provider: str, notice: Notice, now: datetime.datetime) -> Any:
    return insert(ProviderNotice).values(
        provider=provider,
        event_id=notice.id,
        type=notice.type,
        reference=notice.reference,
        key=notice.key,
        received_at=now,
        next_try_at=now,
    )


def _count(session: Session, day: datetime.date, provider: str, reason: str) -> None:
    first = insert(RefusedNotices).values(day=day, provider=provider, reason=reason, count=1)
    one_more = {"count": RefusedNotices.count + 1}
    key = [RefusedNotices.day, RefusedNotices.provider, RefusedNotices.reason]
    session.execute(first.on_conflict_do_update(index_elements=key, set_=one_more))


def _take(session: Session, now: datetime.datetime, limit: int) -> list[dict[str, Any]]:
    due = (
        select(ProviderNotice)
        .where(ProviderNotice.processed_at.is_(None), ProviderNotice.next_try_at <= now)
        .order_by(ProviderNotice.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    names = ("id", "provider", "event_id", "reference", "key", "tries")
    taken = []
    for notice in session.scalars(due):
        notice.tries += 1
        notice.next_try_at = now + jobs.pause(notice.tries)
        taken.append({name: getattr(notice, name) for name in names})
    return taken


def _look_into(cashier: Cashier, notice: dict[str, Any]) -> str:
    """What came of a notice, in a word."""
    if notice["reference"] is None and notice["key"] is None:
        return "ignored"
    provider = cashier.providers[notice["provider"]]
    with cashier.begin() as session:
        payment = session.scalars(_meant(notice)).first()
        if payment is None:
            return "unknown charge"
        payment_id, known = payment.id, charge_store.known(payment)
    report = provider.look_up(known)
    if report is None:
        return "nothing moved"
    cashier.settle(payment_id, report)
    refused = None
    for movement in provider.movements_of(report.reference):
        try:
            with cashier.begin() as session:
                provider_transactions.book(
                    session, payment_id, movement, cashier.clock(), cashier.publish
                )
        except Fault as fault:
            refused = fault
    if refused is not None:
        raise refused
    return "booked"


def _meant(notice: dict[str, Any]) -> Any:
    """By the provider's name for the charge, or by our own key in it."""
    told = [Payment.provider_reference == notice["reference"]] if notice["reference"] else []
    if payment_id := keys.id_of(keys.PAYMENT, notice["key"]):
        told.append(Payment.id == payment_id)
    return select(Payment).where(Payment.provider == notice["provider"], or_(False, *told))
