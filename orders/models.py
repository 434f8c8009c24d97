"""Tables of carts and orders.

The constraints hold whatever the code does: an order has left `pending` only with its money, a key
makes one order, a variant is on an order once, and amounts add up.
"""

import datetime
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, UUID, ExcludeConstraint, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.models import NAMING, InboxMixin, OutboxMixin, RequestKeyMixin

#: A checkout's, and so the order's (`orders.order.numbers`). Who does not name one gets the next.
_NEXT_NUMBER = text("order_number(nextval('order_numbers'))")

_NOTHING = text("0")


class Base(DeclarativeBase):
    """Tables of the orders database."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        Decimal: Numeric(),
        datetime.datetime: DateTime(timezone=True),
        uuid.UUID: UUID,
        str: Text,
        int: BigInteger,
        dict[str, Any]: JSONB,
    }


class OutboxEvent(OutboxMixin, Base):
    """Events that orders publishes."""


class InboxEvent(InboxMixin, Base):
    """Events that orders has applied."""


class RequestKey(RequestKeyMixin, Base):
    """Keys of requests. Those of payments stand for our key towards payments, others for what they
    have made."""


class Cart(Base):
    """A buyer's cart; `version` grows with every change, so that a checkout can tell."""

    __tablename__ = "carts"

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    updated_at: Mapped[datetime.datetime]
    #: Where it is to go, as far as tax and shipping need it: {country, region, postal_code}.
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class CartLine(Base):
    """A variant in a cart, with the name and price at which it was put there."""

    __tablename__ = "cart_lines"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("carts.user_id", ondelete="CASCADE"))
    variant_id: Mapped[int]
    product_id: Mapped[int]
    sku: Mapped[str | None]
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    currency: Mapped[str]
    name: Mapped[str]
    added_at: Mapped[datetime.datetime]

    __table_args__ = (
        PrimaryKeyConstraint("user_id", "variant_id"),
        CheckConstraint("quantity BETWEEN 1 AND 1000", name="quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
    )


class Checkout(Base):
    """A checkout between its first step and its order: the semantic lock on both.

    `open`: stock may be reserved under `order_id`, and an order be made of `basket`. `undoing`: no
    order will be made, and the reservation is to be given back. The row goes with the last step;
    one that stays is taken up at `due_at`. `attempts` counts how often, `reason` is why the last of
    them failed.
    """

    __tablename__ = "checkouts"

    order_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(server_default=_NEXT_NUMBER)
    user_id: Mapped[uuid.UUID]
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str]
    basket: Mapped[dict[str, Any]]
    state: Mapped[str]
    started_at: Mapped[datetime.datetime]
    due_at: Mapped[datetime.datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('open', 'undoing')", name="state"),
        Index(
            "uq_checkouts_user_id_idempotency_key",
            "user_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_checkouts_due_at", "due_at"),
    )


class Order(Base):
    """An order.

    `payment_id` is the payment that pays for it: set as soon as its money has come, while
    `payment_status` turns `paid` only when the stock is ours as well, or held for long enough:
    `held_until` is until when. `paying_since` says that a payment was begun whose end we have not
    heard of, `recheck_at` when to ask for it. An order that costs nothing has no payment, and is
    being paid until its stock is ours.

    Amounts are what `orders.amounts` worked out when it was placed; they never change.
    `subtotal`, `discount` and `shipping` are as the buyer was shown them: with the tax that is in
    them when `prices_include_tax`. `net` and `tax` are of all; `shipping_tax` is a part of `tax`.
    """

    __tablename__ = "orders"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(server_default=_NEXT_NUMBER)
    user_id: Mapped[uuid.UUID]
    status: Mapped[str]
    payment_status: Mapped[str]
    subtotal: Mapped[Decimal]
    discount: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    shipping: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    shipping_tax: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    net: Mapped[Decimal]
    tax: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    total: Mapped[Decimal]
    currency: Mapped[str]
    prices_include_tax: Mapped[bool]
    shipping_method: Mapped[str | None]
    shipping_name: Mapped[str | None]
    shipping_tax_class: Mapped[str | None]
    shipping_address: Mapped[dict[str, Any]]
    cancel_reason: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str]
    payment_id: Mapped[uuid.UUID | None]
    paying_since: Mapped[datetime.datetime | None]
    recheck_at: Mapped[datetime.datetime | None]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime]
    #: None where inventory of a release before holds it.
    held_until: Mapped[datetime.datetime | None]
    hidden_at: Mapped[datetime.datetime | None]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'processing', 'partially_shipped', 'shipped', 'delivered',"
            " 'cancelled')",
            name="status",
        ),
        CheckConstraint(
            "payment_status IN ('unpaid', 'paid', 'partially_refunded', 'refunded')",
            name="payment_status",
        ),
        CheckConstraint("total >= 0", name="total"),
        CheckConstraint(
            "discount BETWEEN 0 AND subtotal AND shipping >= 0 AND shipping_tax BETWEEN 0 AND tax"
            " AND net >= 0",
            name="amounts",
        ),
        CheckConstraint("net + tax = total", name="net_and_tax"),
        CheckConstraint(
            "subtotal - discount + shipping + CASE WHEN prices_include_tax THEN 0 ELSE tax END"
            " = total",
            name="adds_up",
        ),
        CheckConstraint(
            "(shipping_method IS NULL) = (shipping_name IS NULL)", name="shipping_method"
        ),
        CheckConstraint(
            "(shipping_method IS NULL) = (shipping_tax_class IS NULL)"
            " AND (shipping_method IS NOT NULL OR shipping = 0)",
            name="shipped_by_a_method",
        ),
        CheckConstraint(
            "status = 'cancelled' OR (status = 'pending') = (payment_status = 'unpaid')",
            name="nothing_leaves_without_money",
        ),
        CheckConstraint(
            "payment_status = 'unpaid' OR payment_id IS NOT NULL OR total = 0",
            name="paid_by_a_payment",
        ),
        CheckConstraint(
            "(status = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancel_reason"
        ),
        CheckConstraint(
            "(paying_since IS NULL) = (recheck_at IS NULL)", name="looked_up_while_paying"
        ),
        CheckConstraint(
            "hidden_at IS NULL OR status IN ('delivered', 'cancelled')", name="hidden_at"
        ),
        UniqueConstraint("number"),
        UniqueConstraint("user_id", "idempotency_key"),
        Index(
            "ix_orders_keyed",
            "created_at",
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_orders_newest", "created_at", "id"),
        Index("ix_orders_newest_of_user", "user_id", "created_at", "id"),
        Index("ix_orders_unpaid", "expires_at", postgresql_where=text("status = 'pending'")),
        Index("ix_orders_unpaid_of_user", "user_id", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_orders_recheck_at", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")
        ),
    )


class OrderLine(Base):
    """What was bought, at the name and price of that moment, and what has become of it.

    `total`, net and tax, is what is paid for all its units; `discount` is its part of the order's.
    The counters are of units, but `refunded`, which is money: what we asked back for some of its
    units, not for the order as a whole (what has gone back is known of payments, not of lines).
    They move in the transaction that makes it true, under the lock of the order's row.
    """

    __tablename__ = "order_lines"

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    line: Mapped[int] = mapped_column(autoincrement=False)
    variant_id: Mapped[int]
    product_id: Mapped[int]
    sku: Mapped[str | None]
    name: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    net: Mapped[Decimal]
    tax: Mapped[Decimal] = mapped_column(server_default=_NOTHING)
    total: Mapped[Decimal]
    tax_class: Mapped[str] = mapped_column(server_default=text("'standard'"))
    cancelled: Mapped[int] = mapped_column(server_default=_NOTHING)
    shipped: Mapped[int] = mapped_column(server_default=_NOTHING)
    returning: Mapped[int] = mapped_column(server_default=_NOTHING)
    returned: Mapped[int] = mapped_column(server_default=_NOTHING)
    refunded: Mapped[Decimal] = mapped_column(server_default=_NOTHING)

    __table_args__ = (
        PrimaryKeyConstraint("order_id", "line"),
        UniqueConstraint("order_id", "variant_id"),
        CheckConstraint("line >= 1", name="line"),
        CheckConstraint("quantity BETWEEN 1 AND 1000", name="quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        CheckConstraint("discount BETWEEN 0 AND unit_price * quantity", name="discount"),
        CheckConstraint("net >= 0 AND tax >= 0 AND net + tax = total", name="net_and_tax"),
        CheckConstraint(
            "shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity", name="shipped"
        ),
        CheckConstraint(
            '"returning" >= 0 AND returned >= 0 AND "returning" + returned <= shipped',
            name="returned",
        ),
        CheckConstraint("refunded BETWEEN 0 AND total", name="refunded"),
    )


class OrderTax(Base):
    """The tax of an order at one rate: `amount` on (or in what included it) `taxable`, which is
    without it. `reason` says why a rate is 0. Orders of before taxes have none."""

    __tablename__ = "order_taxes"

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    tax_class: Mapped[str]
    rate: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    label: Mapped[str]
    reason: Mapped[str | None]
    taxable: Mapped[Decimal]
    amount: Mapped[Decimal]

    __table_args__ = (
        PrimaryKeyConstraint("order_id", "tax_class", "rate"),
        CheckConstraint("rate BETWEEN 0 AND 100", name="rate"),
        CheckConstraint("taxable >= 0 AND amount >= 0", name="amount"),
        CheckConstraint("reason IS NULL OR rate = 0", name="reason"),
    )


class Fulfilment(Base):
    """A parcel: units of an order that leave together. While it is `packing` they are taken, so
    that nobody else packs them; a `key` makes one parcel."""

    __tablename__ = "fulfilments"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    location: Mapped[str]
    state: Mapped[str]
    carrier: Mapped[str | None]
    tracking_number: Mapped[str | None]
    tracking_url: Mapped[str | None]
    key: Mapped[str | None]
    fingerprint: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    shipped_at: Mapped[datetime.datetime | None]
    delivered_at: Mapped[datetime.datetime | None]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("state IN ('packing', 'shipped', 'delivered', 'cancelled')", name="state"),
        CheckConstraint(
            "(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)", name="shipped_at"
        ),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_at"),
        CheckConstraint("(key IS NULL) = (fingerprint IS NULL)", name="key"),
        UniqueConstraint("order_id", "key"),
        UniqueConstraint("order_id", "id"),
        Index("ix_fulfilments_oldest", "order_id", "created_at", "id"),
    )


class FulfilmentLine(Base):
    """So many units of a line, in a parcel of that order."""

    __tablename__ = "fulfilment_lines"

    fulfilment_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID]
    line: Mapped[int]
    quantity: Mapped[int]

    __table_args__ = (
        PrimaryKeyConstraint("fulfilment_id", "line"),
        ForeignKeyConstraint(
            ["order_id", "fulfilment_id"], ["fulfilments.order_id", "fulfilments.id"]
        ),
        ForeignKeyConstraint(["order_id", "line"], ["order_lines.order_id", "order_lines.line"]),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_fulfilment_lines_order_id_line", "order_id", "line"),
    )


class CancelledPlace(Base):
    """Where units of a line lay that were cancelled: inventory hears of them a moment later."""

    __tablename__ = "cancelled_places"

    cancellation_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID]
    line: Mapped[int]
    location: Mapped[str]
    quantity: Mapped[int]

    __table_args__ = (
        PrimaryKeyConstraint("cancellation_id", "line", "location"),
        ForeignKeyConstraint(["order_id", "line"], ["order_lines.order_id", "order_lines.line"]),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_cancelled_places_order_id_line", "order_id", "line"),
    )


class Receipt(Base):
    """What we know of money that came, as soon as some of it goes back: `paid`, once we have asked
    for any of it, how much we asked for and was not refused, how much went `by_hand` (of staff, or
    at the provider), and how much it is together, as far as we have heard.

    Its order may be unknown to us; the money goes back all the same.
    """

    __tablename__ = "receipts"

    payment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    order_id: Mapped[uuid.UUID]
    paid: Mapped[Decimal | None]
    requested: Mapped[Decimal] = mapped_column(server_default=text("0"))
    by_hand: Mapped[Decimal] = mapped_column(server_default=text("0"))
    refunded: Mapped[Decimal] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("refunded >= 0", name="refunded"),
        CheckConstraint("by_hand >= 0", name="by_hand"),
        CheckConstraint("requested BETWEEN 0 AND paid", name="never_more_than_was_paid"),
        Index("ix_receipts_order_id", "order_id"),
    )


class ShippingZone(Base):
    """Addresses to which the same shipping methods go."""

    __tablename__ = "shipping_zones"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]

    __table_args__ = (UniqueConstraint("name"),)


class ZoneMember(Base):
    """A country of a zone, a region of it, or a range of its postal codes, in the form in which
    they are compared (`chassis.countries`). No two of equal rank overlap."""

    __tablename__ = "zone_members"

    zone_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shipping_zones.id", ondelete="CASCADE"))
    position: Mapped[int]
    country: Mapped[str]
    region: Mapped[str | None]
    postal_from: Mapped[str | None]
    postal_to: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("zone_id", "position"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("(postal_from IS NULL) = (postal_to IS NULL)", name="two_ends"),
        CheckConstraint("region IS NULL OR postal_from IS NULL", name="one_of_three"),
        CheckConstraint(
            """postal_from ~ '^[A-Z0-9]+$' AND postal_to ~ '^[A-Z0-9]+$'"""
            """ AND postal_from COLLATE "C" < postal_to || '~'""",
            name="postal_range",
        ),
        Index("ix_zone_members_country", "country"),
        Index(
            "uq_zone_members_country",
            "country",
            unique=True,
            postgresql_where=text("region IS NULL AND postal_from IS NULL"),
        ),
        Index(
            "uq_zone_members_country_region",
            "country",
            "region",
            unique=True,
            postgresql_where=text("region IS NOT NULL"),
        ),
        # The country stands in front, so ranges of two countries never meet.
        ExcludeConstraint(
            (text("text_range(country || postal_from, country || postal_to || '~')"), "&&"),
            where=text("postal_from IS NOT NULL"),
            name="ex_zone_members_postal_codes",
        ),
    )


class ShippingMethod(Base):
    """A way of shipping to a zone; `code` is how buyers choose it. Orders keep what they took."""

    __tablename__ = "shipping_methods"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    zone_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shipping_zones.id", ondelete="CASCADE"))
    code: Mapped[str]
    name: Mapped[str]
    tax_class: Mapped[str]
    currency: Mapped[str]
    price: Mapped[Decimal]
    free_from: Mapped[Decimal | None]
    min_weight_g: Mapped[int]
    max_weight_g: Mapped[int | None]
    min_days: Mapped[int | None]
    max_days: Mapped[int | None]
    active: Mapped[bool]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9_-]*$'", name="code"),
        CheckConstraint("tax_class ~ '^[a-z0-9_]{1,50}$'", name="tax_class"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("free_from >= 0", name="free_from"),
        CheckConstraint("min_weight_g >= 0 AND min_weight_g <= max_weight_g", name="weight"),
        CheckConstraint("min_days >= 0 AND max_days >= 0 AND min_days <= max_days", name="days"),
        UniqueConstraint("zone_id", "currency", "code"),
        Index("ix_shipping_methods_code_id", "code", "id"),
        Index("ix_shipping_methods_active", "zone_id", postgresql_where=text("active")),
    )


class RefundRequest(Base):
    """Money of a payment that we have asked payments to give back, once for each `cause`: a
    `RefundReason`, with the id of what it is for where there may be several (`return:<id>:2`). Its
    amount is 0 when nothing was left; payments knows the refund by `id`. Since `failed_at` we know
    that nothing goes back for it, and the receipt does not count it any more."""

    __tablename__ = "refund_requests"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("receipts.payment_id"))
    order_id: Mapped[uuid.UUID]
    cause: Mapped[str]
    amount: Mapped[Decimal]
    requested_at: Mapped[datetime.datetime]
    failed_at: Mapped[datetime.datetime | None]

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        UniqueConstraint("payment_id", "cause"),
        Index("ix_refund_requests_order_id", "order_id"),
    )


class TimelineEntry(Base):
    """Something that happened to an order, and why; without personal data."""

    __tablename__ = "timeline"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime.datetime]
    kind: Mapped[str]
    cause: Mapped[str]
    actor: Mapped[str]
    detail: Mapped[dict[str, Any]]
    trace_id: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('order', 'stock', 'payment', 'mail')", name="kind"),
        Index("ix_timeline_order_id_id", "order_id", "id"),
    )


class TaxRate(Base):
    """Percent of tax on a tax class in a country, or in a `region` of it, while it is `valid`: one
    at any moment."""

    __tablename__ = "tax_rates"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    country: Mapped[str]
    #: As `chassis.countries.region` gives it; None: the whole country.
    region: Mapped[str | None]
    tax_class: Mapped[str]
    rate: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    label: Mapped[str]
    reason: Mapped[str | None]
    valid: Mapped[Range[datetime.datetime]] = mapped_column(TSTZRANGE)
    created_at: Mapped[datetime.datetime]
    scope: Mapped[str] = mapped_column(
        Computed("country || '/' || coalesce(region, '') || '/' || tax_class", persisted=True)
    )

    __table_args__ = (
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("tax_class ~ '^[a-z0-9_]{1,50}$'", name="tax_class"),
        CheckConstraint("rate BETWEEN 0 AND 100", name="rate"),
        CheckConstraint("(rate = 0) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("NOT isempty(valid) AND NOT lower_inf(valid)", name="valid"),
        # Two of one scope never overlap. Only ranges can be compared so without an extension
        # (btree_gist, which not every server has): hence ranges of one text each.
        ExcludeConstraint(
            (text("text_range(scope, scope, '[]')"), "="),
            ("valid", "&&"),
            name="ex_tax_rates_scope_valid",
            using="gist",
        ),
        Index("ix_tax_rates_country", "country"),
        Index("ix_tax_rates_newest", "created_at", "id"),
    )
