"""The simulator's own books: charges, refunds, requests that were lost.

What they say is the truth, whatever anybody was told.
"""

import datetime
import uuid
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import currencies
from contracts.payments.enums import FailureCode, Status
from payments.providers.port import (
    ChargeRequest,
    Kind,
    KnownCharge,
    ProviderTransaction,
    RefundRequest,
)
from payments.providers.simulator.models import SimulatorCharge, SimulatorOutage, SimulatorRefund
from payments.providers.simulator.scripts import Script

#: How long a buyer takes for a challenge.
PASSES_AFTER = datetime.timedelta(seconds=2)


def enter(
    session: Session, request: ChargeRequest, script: Script, now: datetime.datetime
) -> tuple[SimulatorCharge, bool]:
    """The charge of a key, and whether it is new."""
    entry = insert(SimulatorCharge).values(
        key=request.key,
        reference=f"sim_{uuid.uuid4().hex}",
        status=script.status,
        amount=request.amount,
        captured=_taken(request, script),
        currency=request.currency,
        failure_code=script.failure_code,
        created_at=now,
        passes_at=now + PASSES_AFTER if script.passes else None,
    )
    made = entry.on_conflict_do_nothing().returning(SimulatorCharge.key)
    is_new = session.scalar(made) is not None
    return session.get_one(SimulatorCharge, request.key), is_new


def _taken(request: ChargeRequest, script: Script) -> Decimal:
    if script.status != Status.SUCCEEDED:
        return Decimal(0)
    if not script.in_part:
        return request.amount
    places = min(currencies.places(request.currency), 2)  # as many as our own books have
    half = (request.amount / 2).quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
    return half or request.amount


def end_challenge(
    charge: SimulatorCharge, patience: datetime.timedelta, now: datetime.datetime
) -> bool:
    """Pass or fail a challenge whose time has come; whether it ended now."""
    if charge.status != Status.REQUIRES_ACTION:
        return False
    expires_at = charge.created_at + patience
    if charge.passes_at is not None and charge.passes_at <= min(now, expires_at):
        charge.status = Status.SUCCEEDED
        charge.captured = charge.amount
        return True
    if expires_at > now:
        return False
    charge.status = Status.FAILED
    charge.failure_code = FailureCode.AUTHENTICATION_EXPIRED
    return True


def cancel(charge: SimulatorCharge) -> bool:
    """End the challenge of a locked charge unpaid; False when it has no open one."""
    if charge.status != Status.REQUIRES_ACTION:
        return False
    charge.status, charge.failure_code = Status.FAILED, "canceled"
    return True


def open_challenges(
    session: Session, patience: datetime.timedelta, now: datetime.datetime, limit: int
) -> Iterable[SimulatorCharge]:
    """Charges whose challenge is to end, locked; those that another process has are its own."""
    due = or_(SimulatorCharge.passes_at <= now, SimulatorCharge.created_at <= now - patience)
    wanted = select(SimulatorCharge).where(SimulatorCharge.status == Status.REQUIRES_ACTION, due)
    return session.scalars(wanted.limit(limit).with_for_update(skip_locked=True)).all()


def find(session: Session, charge: KnownCharge) -> SimulatorCharge | None:
    """A charge by our key, else by its reference; locked."""
    entry = session.get(SimulatorCharge, charge.key, with_for_update=True)
    if entry is None and charge.reference is not None:
        entry = lock(session, charge.reference)
    return entry


def lock(session: Session, reference: str) -> SimulatorCharge | None:
    """The charge of that name."""
    wanted = select(SimulatorCharge).where(SimulatorCharge.reference == reference)
    return session.scalars(wanted.with_for_update()).one_or_none()


def give_back(
    session: Session, charge: SimulatorCharge, request: RefundRequest, now: datetime.datetime
) -> SimulatorRefund:
    """Book a refund of the locked `charge`."""
    charge.refunded += request.amount
    refund = SimulatorRefund(
        key=request.key,
        reference=f"simre_{uuid.uuid4().hex}",
        charge_reference=charge.reference,
        amount=request.amount,
        created_at=now,
    )
    session.add(refund)
    return refund


def lose(session: Session, key: str, until: datetime.datetime) -> bool:
    """Lose the first request under `key`, and the later ones before `until`; False when that has
    been done before."""
    row = insert(SimulatorOutage).values(key=key, until=until)
    made = row.on_conflict_do_nothing().returning(SimulatorOutage.key)
    return session.scalar(made) is not None


def is_lost(session: Session, key: str, now: datetime.datetime) -> bool:
    """Whether nobody is there now for what is about `key`."""
    outage = session.get(SimulatorOutage, key)
    return outage is not None and outage.until > now


def transactions_of(session: Session, charge: str) -> list[ProviderTransaction]:
    """All money of one charge."""
    return _transactions(
        session, SimulatorCharge.reference == charge, SimulatorRefund.charge_reference == charge
    )


def transactions(
    session: Session, since: datetime.datetime, until: datetime.datetime
) -> list[ProviderTransaction]:
    """All money of charges and refunds that were made in that time."""
    charges, refunds = SimulatorCharge.created_at, SimulatorRefund.created_at
    return _transactions(
        session, (charges >= since) & (charges < until), (refunds >= since) & (refunds < until)
    )


def _transactions(
    session: Session, of_charges: ColumnElement[bool], of_refunds: ColumnElement[bool]
) -> list[ProviderTransaction]:
    charges = select(SimulatorCharge).where(SimulatorCharge.captured > 0, of_charges)
    refunds = (
        select(SimulatorRefund, SimulatorCharge.currency)
        .join(SimulatorCharge, SimulatorCharge.reference == SimulatorRefund.charge_reference)
        .where(of_refunds)
    )
    found = [
        (
            charge.created_at,
            ProviderTransaction(
                Kind.CAPTURE, charge.reference, charge.reference, charge.captured,
                charge.currency, charge.key,
            ),
        )
        for charge in session.scalars(charges)
    ]  # fmt: skip
    found += [
        (
            refund.created_at,
            ProviderTransaction(
                Kind.REFUND, refund.reference, refund.charge_reference, refund.amount,
                currency, refund.key,
            ),
        )
        for refund, currency in session.execute(refunds)
    ]  # fmt: skip
    return [transaction for _, transaction in sorted(found, key=lambda one: one[0])]
