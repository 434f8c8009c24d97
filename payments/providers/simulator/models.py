"""The simulator's own tables; nothing else in the service reads them."""

import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from payments.models import Base


class SimulatorCharge(Base):
    """Its book of charges.

    `amount` was asked for, `captured` was taken of it. A buyer passes the challenge at `passes_at`,
    or never.
    """

    __tablename__ = "simulator_charges"

    key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    amount: Mapped[Decimal]
    captured: Mapped[Decimal] = mapped_column(server_default=text("0"))
    refunded: Mapped[Decimal] = mapped_column(server_default=text("0"))
    currency: Mapped[str] = mapped_column(String(3))
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    passes_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("captured BETWEEN 0 AND amount", name="captured"),
        CheckConstraint("refunded BETWEEN 0 AND captured", name="refunded"),
        Index(
            "ix_simulator_charges_open",
            "created_at",
            postgresql_where=text("status = 'requires_action'"),
        ),
        Index("ix_simulator_charges_created_at", "created_at"),
    )


class SimulatorRefund(Base):
    """Its book of refunds."""

    __tablename__ = "simulator_refunds"

    key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    charge_reference: Mapped[str] = mapped_column(
        ForeignKey("simulator_charges.reference"), index=True
    )
    amount: Mapped[Decimal]
    created_at: Mapped[datetime.datetime] = mapped_column(index=True)


class SimulatorOutage(Base):
    """A key under which the simulator has lost a request: the first, and all before `until`."""

    __tablename__ = "simulator_outages"

    key: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime.datetime]


class SimulatorWebhook(Base):
    """A webhook that the simulator will send, at `due_at`."""

    __tablename__ = "simulator_notices"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[str]
    type: Mapped[str]
    charge_reference: Mapped[str] = mapped_column(ForeignKey("simulator_charges.reference"))
    due_at: Mapped[datetime.datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
