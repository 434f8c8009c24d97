"""The tables of the shop, as far as this peer uses them."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Identity, Numeric, Text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# Of a plain `postgresql://` SQLAlchemy 2.1 makes psycopg 3, but it is psycopg2 that eventlet knows.
registry.register("postgresql", "sqlalchemy.dialects.postgresql.psycopg2", "PGDialect_psycopg2")


class Base(DeclarativeBase):
    type_annotation_map = {
        str: Text,
        Decimal: Numeric(10, 2),
        datetime.datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


class Stock(Base):
    __tablename__ = "stock"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int]
    version: Mapped[int]

    @property
    def available(self):
        return self.on_hand - self.reserved


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    price: Mapped[Decimal]
    currency: Mapped[str]
    category_id: Mapped[int | None]
    images: Mapped[list[str]]
    attributes: Mapped[dict[str, Any]]
    version: Mapped[int]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    deleted_at: Mapped[datetime.datetime | None]
    stock: Mapped[Stock] = relationship(lazy="joined", innerjoin=True)

    @property
    def available(self):
        return self.stock.available


class ReservationLine(Base):
    __tablename__ = "reservation_lines"

    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("reservations.order_id"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    held_until: Mapped[datetime.datetime]


class Reservation(Base):
    __tablename__ = "reservations"

    order_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    expires_at: Mapped[datetime.datetime]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    lines: Mapped[list[ReservationLine]] = relationship()


class Movement(Base):
    __tablename__ = "movements"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    product_id: Mapped[int]
    kind: Mapped[str]
    delta_on_hand: Mapped[int]
    delta_reserved: Mapped[int]
    order_id: Mapped[uuid.UUID]
    reason: Mapped[str]
    at: Mapped[datetime.datetime]


class OrderLine(Base):
    __tablename__ = "order_lines"

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int]
    name: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]

    @property
    def line_total(self):
        return self.unit_price * self.quantity


class TimelineEntry(Base):
    __tablename__ = "timeline"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime.datetime]
    kind: Mapped[str]
    cause: Mapped[str]
    actor: Mapped[str]
    detail: Mapped[dict[str, Any]]


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID]
    status: Mapped[str]
    payment_status: Mapped[str]
    total: Mapped[Decimal]
    currency: Mapped[str]
    shipping_address: Mapped[dict[str, Any]]
    fingerprint: Mapped[str]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime]
    version: Mapped[int]
    items: Mapped[list[OrderLine]] = relationship(order_by=OrderLine.position)
    timeline: Mapped[list[TimelineEntry]] = relationship(order_by=TimelineEntry.id)


class OutboxEvent(Base):
    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID]
    source: Mapped[str]
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime.datetime]
