"""The tables of catalog and stock, with the rules that the database itself keeps."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.currencies import places_in_sql
from chassis.models import NAMING, InboxMixin, OutboxMixin, RequestKeyMixin
from contracts.inventory.enums import MovementKind, ReservationState, TransferState
from contracts.products.fields import STANDARD

Moment = DateTime(timezone=True)

_STATES = tuple(state.value for state in ReservationState)
_KINDS = tuple(kind.value for kind in MovementKind)
_TRANSFER_STATES = tuple(state.value for state in TransferState)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class InboxEvent(InboxMixin, Base):
    pass


class OutboxEvent(OutboxMixin, Base):
    pass


class RequestKey(RequestKeyMixin, Base):
    pass


class Category(Base):
    """A node of the category tree; roots have no parent."""

    __tablename__ = "categories"
    __table_args__ = (CheckConstraint("parent_id <> id", name="not_own_parent"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    version: Mapped[int] = mapped_column(Integer)


def _live(name: str, *columns: str) -> Index:
    """An index over what is not deleted; `id` last makes the order total for keyset paging."""
    return Index(name, *columns, "id", postgresql_where=text("deleted_at IS NULL"))


class Product(Base):
    """What is for sale. Deleted ones stay as rows: orders and movements point to them, and their
    SKU is never used for another thing."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint(f"price = round(price, {places_in_sql()})", name="price_in_coins"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_iso"),
        CheckConstraint("tax_class ~ '^[a-z0-9_]{1,50}$'", name="tax_class"),
        # One index an order: alone for the whole shop, under its category for a branch of it.
        _live("ix_products_newest", "created_at"),
        _live("ix_products_currency_price", "currency", "price"),
        _live("ix_products_name", "sort_name"),
        _live("ix_products_category_newest", "category_id", "created_at"),
        _live("ix_products_category_currency_price", "category_id", "currency", "price"),
        _live("ix_products_category_name", "category_id", "sort_name"),
        # Deleting a category looks at deleted products too.
        Index(
            "ix_products_category_deleted",
            "category_id",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index("ix_products_title", "title", postgresql_using="gin"),
        Index("ix_products_document", "document", postgresql_using="gin"),
        # What was written without its terms, see `products.search`; mostly nothing.
        Index(
            "ix_products_stale",
            "id",
            postgresql_where=text("indexed_version <> version AND deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sku: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric)
    currency: Mapped[str] = mapped_column(String(3))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    images: Mapped[list[str]] = mapped_column(JSONB)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tax_class: Mapped[str] = mapped_column(Text, server_default=STANDARD)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime.datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    # Byte order, so that a cursor means the same on every server; short, so that it fits in one.
    sort_name: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("left(lower(name), 100)", persisted=True), deferred=True
    )
    # What a search finds: who the product is, and everything. `products.search` writes them; the
    # defaults are for who does not know them, an earlier release during an upgrade.
    title: Mapped[str] = mapped_column(TSVECTOR, server_default="", deferred=True)
    document: Mapped[str] = mapped_column(TSVECTOR, server_default="", deferred=True)
    indexed_version: Mapped[int] = mapped_column(Integer, server_default="0", deferred=True)


class Option(Base):
    """What the variants of a product differ in: its size, its colour."""

    __tablename__ = "options"
    __table_args__ = (
        Index("uq_options_name", "product_id", func.lower(text("name")), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)


class OptionValue(Base):
    """One of the values of an option."""

    __tablename__ = "option_values"
    __table_args__ = (
        Index("uq_option_values_value", "option_id", func.lower(text("value")), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    option_id: Mapped[int] = mapped_column(ForeignKey("options.id"))
    value: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)


class Variant(Base):
    """A product in one of its forms: what is counted, put in a cart and sold.

    Ids are from the sequence of the products: a product that was made without options has one
    variant, of its own id. What is null here is as the product has it. Deleted ones stay as rows,
    for the same reasons as products do.
    """

    __tablename__ = "variants"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("weight_g >= 0", name="weight_not_negative"),
        CheckConstraint("option_key ~ '^([0-9]+(,[0-9]+)*)?$'", name="option_key_of_ids"),
        Index(
            "uq_variants_option_key",
            "product_id",
            "option_key",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("nextval('products_id_seq')"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    sku: Mapped[str | None] = mapped_column(Text, unique=True)
    # The ids of its option values, in their order: so a name that changes is no other variant.
    option_key: Mapped[str] = mapped_column(Text, server_default="")
    price: Mapped[Decimal | None] = mapped_column(Numeric)
    weight_g: Mapped[int] = mapped_column(Integer, server_default="0")
    barcode: Mapped[str | None] = mapped_column(Text)
    images: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    position: Mapped[int] = mapped_column(Integer, server_default="1")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(Moment)


class SearchWord(Base):
    """A word that stands in some product, by the keys that its misspellings share with it; see
    `products.search`."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_keys", "keys", postgresql_using="gin"),)

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    keys: Mapped[list[str]] = mapped_column(
        ARRAY(Text), Computed("spelling_keys(word)", persisted=True)
    )


class Location(Base):
    """A place where stock lies and orders are shipped from. One that is not active ships what it
    has promised, and promises nothing more."""

    __tablename__ = "locations"
    __table_args__ = (CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'", name="code_form"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(String(2))
    #: The smallest first.
    priority: Mapped[int] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)


#: The location that the migration makes; what is written without one is there.
MAIN = "MAIN"


class Stock(Base):
    """How many of a variant there are at a location, and how many of them are promised to orders.

    Only `products.stock.ledger` changes the counters, each time with its movement.
    """

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        CheckConstraint("reserved BETWEEN 0 AND on_hand", name="reserved_within_on_hand"),
        Index("ix_stock_sold_out", "variant_id", postgresql_where=text("on_hand = reserved")),
    )

    variant_id: Mapped[int] = mapped_column(
        ForeignKey("variants.id"), primary_key=True, autoincrement=False
    )
    location: Mapped[str] = mapped_column(
        ForeignKey("locations.code"), primary_key=True, server_default=MAIN
    )
    on_hand: Mapped[int] = mapped_column(Integer)
    reserved: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)


def _of_stock(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["variant_id", "location"],
        ["stock.variant_id", "stock.location"],
        name=f"fk_{table}_stock",
    )


class Reservation(Base):
    """What an order holds: until `expires_at` while it is `reserved`, for good once it is
    `committed`. One that was released before it was ever made stays as a tombstone without lines,
    so that a `reserve` that comes late finds it."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint(f"state IN {_STATES}", name="state_known"),
        CheckConstraint("state = 'released' OR expires_at IS NOT NULL", name="expires"),
        Index("ix_reservations_due", "expires_at", postgresql_where=text("state = 'reserved'")),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime.datetime] = mapped_column(Moment)
    #: Counts the changes of its lines.
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class ReservationLine(Base):
    """How many of a variant an order gets from a location; those neither shipped nor cancelled are
    still to leave.

    `held_until` is set while these count in `stock.reserved`, to infinity once they are the order's
    for good. It only changes under the lock of that stock row, so expired lines can be freed
    variant by variant; or under that of the reservation, while its time is not over.
    """

    __tablename__ = "reservation_lines"
    __table_args__ = (
        _of_stock("reservation_lines"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint(
            "shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity",
            name="parts_within_quantity",
        ),
        CheckConstraint(
            "held_until IS NULL OR shipped + cancelled < quantity", name="holds_something"
        ),
        Index(
            "ix_reservation_lines_held",
            "variant_id",
            "location",
            "held_until",
            postgresql_include=["quantity", "shipped", "cancelled"],
            postgresql_where=text("held_until IS NOT NULL"),
        ),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("reservations.order_id"), primary_key=True
    )
    variant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    location: Mapped[str] = mapped_column(Text, primary_key=True, server_default=MAIN)
    quantity: Mapped[int] = mapped_column(Integer)
    shipped: Mapped[int] = mapped_column(Integer, server_default="0")
    cancelled: Mapped[int] = mapped_column(Integer, server_default="0")
    held_until: Mapped[datetime.datetime | None] = mapped_column(Moment)


class Movement(Base):
    """One change of a variant's counters at a location. Rows are only ever added (a trigger refuses
    the rest), so on_hand and reserved are the sums of their deltas.

    What has a cause of its own, a parcel or a receipt, moves once for it.
    """

    __tablename__ = "movements"
    __table_args__ = (
        _of_stock("movements"),
        CheckConstraint(f"kind IN {_KINDS}", name="kind_known"),
        CheckConstraint("delta_on_hand <> 0 OR delta_reserved <> 0", name="moves_something"),
        Index("ix_movements_variant", "variant_id", "id"),
        Index(
            "uq_movements_cause",
            "cause_id",
            "kind",
            "variant_id",
            "location",
            unique=True,
            postgresql_where=text("cause_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    variant_id: Mapped[int] = mapped_column(BigInteger)
    location: Mapped[str] = mapped_column(Text, server_default=MAIN)
    kind: Mapped[str] = mapped_column(Text)
    delta_on_hand: Mapped[int] = mapped_column(Integer)
    delta_reserved: Mapped[int] = mapped_column(Integer)
    order_id: Mapped[uuid.UUID | None] = mapped_column(UUID)
    cause_id: Mapped[uuid.UUID | None] = mapped_column(UUID)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[uuid.UUID | None] = mapped_column(UUID)
    at: Mapped[datetime.datetime] = mapped_column(Moment)


class Transfer(Base):
    """Stock on its way from one location to another."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint(f"state IN {_TRANSFER_STATES}", name="state_known"),
        CheckConstraint("source <> target", name="goes_somewhere"),
        Index("ix_transfers_newest", "created_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    source: Mapped[str] = mapped_column(ForeignKey("locations.code"))
    target: Mapped[str] = mapped_column(ForeignKey("locations.code"))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime.datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime.datetime] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(Integer)


class TransferLine(Base):
    """How many of a variant were sent, and how many of those have arrived; of a transfer that was
    cancelled the others are back where they came from."""

    __tablename__ = "transfer_lines"
    __table_args__ = (
        CheckConstraint("sent > 0", name="sent_positive"),
        CheckConstraint("received BETWEEN 0 AND sent", name="received_within_sent"),
    )

    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfers.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    sent: Mapped[int] = mapped_column(Integer)
    received: Mapped[int] = mapped_column(Integer)
