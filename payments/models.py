"""Tables of the payments service.

The totals on a payment and the ledger always move together (`payments.ledger.store`), and the
constraints here hold whatever the code does: an order is taken once, and never more is given
back, or promised to be, than was taken.
"""

import datetime
import uuid
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from chassis.models import NAMING, InboxMixin, OutboxMixin, RequestKeyMixin

_PAYMENT_STATUS = (
    "status IN ('pending', 'requires_action', 'succeeded', 'failed',"
    " 'partially_refunded', 'refunded')"
)


class Base(DeclarativeBase):
    """Tables of the payments database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[type, Any]] = {
        Decimal: Numeric(),
        datetime.datetime: DateTime(timezone=True),
        uuid.UUID: UUID,
        str: Text,
    }


class OutboxEvent(OutboxMixin, Base):
    """Events that payments publishes."""


class InboxEvent(InboxMixin, Base):
    """Events that payments has applied."""


class RequestKey(RequestKeyMixin, Base):
    """Keys under which refunds were asked for."""


def _total() -> MappedColumn[Decimal]:
    """A sum that the database adds to, and tells with each update of its row."""
    return mapped_column(server_default=text("0"), server_onupdate=FetchedValue())


class Payment(Base):
    """One attempt to take money for an order.

    `captured` was taken, `refunded` given back, `refunding` is promised to refunds that are not
    settled. A `superseded` payment has failed although money came: late, after another one had
    taken its place, or less than was asked for. That is given back at once and does not count for
    the order.
    """

    __tablename__ = "payments"
    __mapper_args__ = {"eager_defaults": True}

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    order_id: Mapped[uuid.UUID]
    #: By which people name the order; none for payments from before orders told it.
    order_number: Mapped[str | None]
    user_id: Mapped[uuid.UUID]
    key: Mapped[str]
    provider: Mapped[str]
    provider_reference: Mapped[str | None]
    #: What a buyer comes back from the provider's page with: its first reference.
    return_reference: Mapped[str | None]
    #: No real money.
    test_mode: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    status: Mapped[str]
    superseded: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    amount: Mapped[Decimal]
    captured: Mapped[Decimal] = _total()
    refunding: Mapped[Decimal] = _total()
    refunded: Mapped[Decimal] = _total()
    currency: Mapped[str] = mapped_column(String(3))
    action_url: Mapped[str | None]
    failure_code: Mapped[str | None]
    #: Why it is to be cancelled at the provider, from when that is wanted on.
    cancel_reason: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    #: Until then the call that creates the charge may be under way.
    calling_until: Mapped[datetime.datetime]
    #: When the sweep asks the provider; it moves this on when it takes the payment up.
    next_check_at: Mapped[datetime.datetime]
    checks: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (
        CheckConstraint(_PAYMENT_STATUS, name="status"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("captured BETWEEN 0 AND amount", name="captured"),
        CheckConstraint(
            "refunded >= 0 AND refunding >= 0 AND refunded + refunding <= captured",
            name="never_more_back_than_taken",
        ),
        UniqueConstraint("order_id", "key"),
        # An order that was refunded stays paid once: it is never charged again.
        Index(
            "uq_payments_order_id_active",
            "order_id",
            unique=True,
            postgresql_where=text("status <> 'failed' AND NOT superseded"),
        ),
        Index("ix_payments_order_id_created_at_id", "order_id", "created_at", "id"),
        Index("ix_payments_provider_reference", "provider_reference"),
        Index("ix_payments_return_reference", "return_reference"),
        Index(
            "ix_payments_open",
            "next_check_at",
            postgresql_where=text("status IN ('pending', 'requires_action')"),
        ),
    )


class Refund(Base):
    """Money on its way back; its amount is reserved on the payment while it is `pending`.

    `requested_by` is the user id of the member of staff, null for the system.
    """

    __tablename__ = "refunds"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"))
    key: Mapped[str]
    amount: Mapped[Decimal]
    reason: Mapped[str]
    requested_by: Mapped[uuid.UUID | None]
    status: Mapped[str]
    provider_reference: Mapped[str | None]
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    next_check_at: Mapped[datetime.datetime]
    checks: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (
        CheckConstraint("status IN ('pending', 'succeeded', 'failed')", name="status"),
        CheckConstraint("amount > 0", name="amount"),
        UniqueConstraint("payment_id", "key"),
        Index("ix_refunds_open", "next_check_at", postgresql_where=text("status = 'pending'")),
    )


class LedgerEntry(Base):
    """Money that moved from the account `credit` to the account `debit` (`payments.ledger.store`):
    a row is both sides of the double entry, so that the books can't be out of balance; the view
    `ledger_balances` has what lies in each account. Append-only: triggers refuse to change, delete
    or truncate entries."""

    __tablename__ = "ledger_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"))
    refund_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("refunds.id"), unique=True)
    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str]
    debit: Mapped[str]
    credit: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    provider: Mapped[str]
    provider_reference: Mapped[str]
    at: Mapped[datetime.datetime]

    __table_args__ = (
        CheckConstraint("(kind = 'refund') = (refund_id IS NOT NULL)", name="refund_id"),
        CheckConstraint(
            "(kind, debit, credit) IN (('capture', 'provider', 'order'),"
            " ('refund', 'order', 'provider'), ('dispute', 'disputed', 'provider'),"
            " ('dispute_reversed', 'provider', 'disputed'))",
            name="accounts",
        ),
        # What the provider has told of once is booked once.
        UniqueConstraint("provider", "kind", "provider_reference"),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_ledger_entries_payment_id", "payment_id"),
        Index("ix_ledger_entries_provider_at_id", "provider", "at", "id"),
        # One capture per payment, one entry per refund (`refund_id` is unique).
        Index(
            "uq_ledger_entries_capture",
            "payment_id",
            unique=True,
            postgresql_where=text("kind = 'capture'"),
        ),
    )


class ReceivedWebhook(Base):
    """A webhook that was received: what it is about, and what came of it. Its text is not kept:
    booked is what the provider says when asked, and the text has personal data."""

    __tablename__ = "provider_notices"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    reference: Mapped[str | None]
    key: Mapped[str | None]
    received_at: Mapped[datetime.datetime]
    processed_at: Mapped[datetime.datetime | None]
    outcome: Mapped[str | None]
    next_try_at: Mapped[datetime.datetime]
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        CheckConstraint("(processed_at IS NULL) = (outcome IS NULL)", name="outcome"),
        Index(
            "ix_provider_notices_open",
            "next_try_at",
            postgresql_where=text("processed_at IS NULL"),
        ),
        Index("ix_provider_notices_received_at", "received_at"),
    )


class RefusedWebhooks(Base):
    """How many webhooks were refused on a day, and why."""

    __tablename__ = "refused_notices"

    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class Lease(Base):
    """When something that one instance does for all is due: see `payments.scheduled`."""

    __tablename__ = "turns"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime.datetime]
