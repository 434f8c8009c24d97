"""The simulator's own books: charges, refunds, requests that were lost.

What they say is the truth, whatever anybody was told.
"""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.json_rows import as_json, insertion, with_documents
from contracts.payments.enums import FailureCode, Status
from payments.models import Base
from payments.providers.port import (
    ChargeRequest,
    Kind,
    KnownCharge,
    ProviderTransaction,
    RefundRequest,
)
from payments.providers.simulator.models import SimulatorCharge, SimulatorOutage, SimulatorRefund
from payments.providers.simulator.scripts import Script

_TABLES = Base.metadata.tables
_ENTER = with_documents(
    f"""
    WITH entered AS (
        {insertion(_TABLES["simulator_charges"], "charge")} ON CONFLICT DO NOTHING RETURNING *
    ),
    told AS (
        {insertion(_TABLES["simulator_notices"], "webhooks", but={"id", "tries"})}
        WHERE EXISTS (SELECT FROM entered)
    )
    SELECT * FROM entered
    """,  # noqa: S608  (names of ours)
    "charge",
    "webhooks",
)

_GIVE_BACK = with_documents(
    f"""
    WITH given AS ({insertion(_TABLES["simulator_refunds"], "refund")}),
    told AS ({insertion(_TABLES["simulator_notices"], "webhooks", but={"id", "tries"})})
    UPDATE simulator_charges SET refunded = refunded + :amount WHERE reference = :charge
    """,  # noqa: S608  (names of ours)
    "refund",
    "webhooks",
)

#: How long a buyer takes for a challenge.
PASSES_AFTER = datetime.timedelta(seconds=2)


def new_charge(request: ChargeRequest, script: Script, now: datetime.datetime) -> dict[str, Any]:
    """The row of a charge that is to be entered."""
    return {
        "key": request.key,
        "reference": f"sim_{uuid.uuid4().hex}",
        "status": script.status,
        "amount": request.amount,
        "captured": _taken(request, script),
        "refunded": 0,
        "currency": request.currency,
        "failure_code": script.failure_code,
        "created_at": now,
        "passes_at": now + PASSES_AFTER if script.passes else None,
    }


def enter(
    connection: Connection, charge: Mapping[str, Any], webhooks: Sequence[Mapping[str, Any]]
) -> Row[*tuple[Any, ...]]:
    """The charge of a key: this one with its webhooks, or the one that was there before."""
    rows = {"charge": as_json([charge]), "webhooks": as_json(webhooks)}
    made = connection.execute(_ENTER, rows).one_or_none()
    return made or connection.execute(select(SimulatorCharge).filter_by(key=charge["key"])).one()


def _taken(request: ChargeRequest, script: Script) -> Decimal:
    if script.status != Status.SUCCEEDED:
        return Decimal(0)
    if not script.in_part:
        return request.amount
    half = (request.amount / 2).quantize(currencies.zero(request.currency), ROUND_DOWN)
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


def ending_challenges(
    patience: datetime.timedelta, now: datetime.datetime
) -> Select[SimulatorCharge]:
    """Charges whose challenge is to end."""
    due = or_(SimulatorCharge.passes_at <= now, SimulatorCharge.created_at <= now - patience)
    return select(SimulatorCharge).where(SimulatorCharge.status == Status.REQUIRES_ACTION, due)


def find(connection: Connection, charge: KnownCharge) -> Row[*tuple[Any, ...]] | None:
    """A charge by our key or by its reference."""
    return connection.execute(_named(charge)).first()


def lock(session: Session, charge: KnownCharge) -> SimulatorCharge | None:
    """The same, locked."""
    return session.scalars(_named(charge).with_for_update()).first()


def _named(charge: KnownCharge) -> Select[SimulatorCharge]:
    names = SimulatorCharge.key == charge.key, SimulatorCharge.reference == charge.reference
    return select(SimulatorCharge).where(or_(*names))


def give_back(
    session: Session,
    request: RefundRequest,
    webhooks: Sequence[Mapping[str, Any]],
    now: datetime.datetime,
) -> str:
    """Book a refund of a charge that is locked, with its webhooks; its reference."""
    reference = f"simre_{uuid.uuid4().hex}"
    refund = {
        "key": request.key,
        "reference": reference,
        "charge_reference": request.reference,
        "amount": request.amount,
        "created_at": now,
    }
    rows = {"refund": as_json([refund]), "webhooks": as_json(webhooks)}
    session.execute(_GIVE_BACK, rows | {"amount": request.amount, "charge": request.reference})
    return reference


def lose(connection: Connection, key: str, until: datetime.datetime) -> bool:
    """Lose the first request under `key`, and the later ones before `until`; False when that has
    been done before."""
    row = insert(SimulatorOutage).values(key=key, until=until)
    made = row.on_conflict_do_nothing().returning(SimulatorOutage.key)
    return connection.scalar(made) is not None


def is_lost(connection: Connection, key: str, now: datetime.datetime) -> bool:
    """Whether nobody is there now for what is about `key`."""
    outage = select(SimulatorOutage.key).filter_by(key=key).where(SimulatorOutage.until > now)
    return connection.scalar(outage) is not None


def transactions_of(connection: Connection, charge: str) -> list[ProviderTransaction]:
    """All money of one charge."""
    return _transactions(
        connection, SimulatorCharge.reference == charge, SimulatorRefund.charge_reference == charge
    )


def transactions(
    connection: Connection, since: datetime.datetime, until: datetime.datetime
) -> list[ProviderTransaction]:
    """All money of charges and refunds that were made in that time."""
    charges, refunds = SimulatorCharge.created_at, SimulatorRefund.created_at
    return _transactions(
        connection, (charges >= since) & (charges < until), (refunds >= since) & (refunds < until)
    )


def _transactions(
    connection: Connection, of_charges: ColumnElement[bool], of_refunds: ColumnElement[bool]
) -> list[ProviderTransaction]:
    charges = select(
        SimulatorCharge.created_at,
        literal(Kind.CAPTURE),
        SimulatorCharge.reference,
        SimulatorCharge.reference,
        SimulatorCharge.captured,
        SimulatorCharge.currency,
        SimulatorCharge.key,
    ).where(SimulatorCharge.captured > 0, of_charges)
    refunds = (
        select(
            SimulatorRefund.created_at,
            literal(Kind.REFUND),
            SimulatorRefund.reference,
            SimulatorRefund.charge_reference,
            SimulatorRefund.amount,
            SimulatorCharge.currency,
            SimulatorRefund.key,
        )
        .join(SimulatorCharge, SimulatorCharge.reference == SimulatorRefund.charge_reference)
        .where(of_refunds)
    )
    moved: Iterable[Any] = connection.execute(union_all(charges, refunds).order_by("created_at"))
    return [ProviderTransaction(Kind(kind), *facts) for _, kind, *facts in moved]
