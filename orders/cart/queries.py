"""A cart as it was read, and as it is shown with the products as they are now."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from chassis.errors import Unavailable
from chassis.messages import Json
from contracts.products.fields import STANDARD
from orders import addresses, catalog
from orders.context import CartContext
from orders.lines import Line, Wanted
from orders.models import Cart, CartLine
from orders.terms import store as terms_store
from orders.terms.rules import NOWHERE, Charges, charge, quote

_AMOUNTS = ("subtotal", "net", "tax", "total")


@dataclass(frozen=True, slots=True)
class Contents:
    """A cart as it was read: its version (0: there has never been one), its lines, and where it is
    to go, if that is known."""

    version: int
    lines: Sequence[Row[Any]]
    address: dict[str, Any] | None = None

    @property
    def country(self) -> str:
        return self.address["country"] if self.address else NOWHERE

    @property
    def variant_ids(self) -> list[int]:
        return [line.variant_id for line in self.lines]

    def sold(
        self, line: Row[Any], variants: Mapping[int, Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        """The variant of a line as it is now. One that has vanished keeps what it had when it was
        put in, with none available."""
        return variants.get(line.variant_id) or {
            "id": line.variant_id,
            "product_id": line.product_id,
            "sku": line.sku,
            "name": line.name,
            "options": line.options,
            "price": line.unit_price,
            "currency": line.currency,
            "tax_class": STANDARD,
            "weight_g": 0,
            "available": 0,
        }

    def priced(
        self, variants: Mapping[int, Mapping[str, Any] | None], default: str
    ) -> tuple[str | None, list[Line]]:
        """The lines at the prices of now, and their currency: the `default` of an empty cart, None
        when they have come to have several."""
        sold = [self.sold(line, variants) for line in self.lines]
        currencies = {one["currency"] for one in sold} or {default}
        lines = [Line.of(one, line.quantity) for line, one in zip(self.lines, sold, strict=True)]
        return currencies.pop() if len(currencies) == 1 else None, lines

    def wanted(self) -> list[Wanted]:
        """The lines for a checkout."""
        return [
            Wanted(line.variant_id, line.quantity, (line.unit_price,), line.currency)
            for line in self.lines
        ]


def read(connection: Connection | Session, user_id: uuid.UUID) -> Contents:
    """A user's cart, by one statement: its lines are those of its version."""
    query = (
        select(Cart.version, Cart.address, *CartLine.__table__.c)
        .outerjoin(CartLine, CartLine.user_id == Cart.user_id)
        .where(Cart.user_id == user_id)
        .order_by(CartLine.added_at, CartLine.variant_id)
    )
    rows = connection.execute(query).all()
    lines = [row for row in rows if row.variant_id is not None]
    return Contents(rows[0].version, lines, rows[0].address) if rows else Contents(0, [])


def show(
    context: CartContext, user_id: uuid.UUID, variants: catalog.Variants | None = None
) -> Json:
    """The cart as answered; `variants` are those that were looked up before."""
    now, includes_tax = context.clock(), context.settings["prices_include_tax"]
    with context.db.autocommit() as connection:
        contents = read(connection, user_id)
        terms = terms_store.read(connection, contents.country, now)
    if contents.lines and contents.address is None and (terms.offer.currencies or not includes_tax):
        # What an order of it comes to depends on where it goes: to there, if nobody says otherwise.
        contents = replace(contents, address=_home(context, user_id))
        with context.db.autocommit() as connection:
            terms = terms_store.read(connection, contents.country, now)
    known = variants or {}
    missing = [one for one in contents.variant_ids if one not in known]
    known = known | catalog.look_up(context.products, missing)
    return view(contents, known, Charges(terms, now, includes_tax), context.settings["currency"])


def _home(context: CartContext, user_id: uuid.UUID) -> dict[str, Any] | None:
    """As much of the buyer's default address as a cart keeps of one; None without one, or while
    users is away: a cart can be seen all the same."""
    try:
        address = addresses.default(context.users, user_id)
    except Unavailable:
        return None
    return address and {name: address[name] for name in ("country", "region", "postal_code")}


def view(
    contents: Contents,
    variants: Mapping[int, Mapping[str, Any] | None],
    charges: Charges,
    default: str,
) -> Json:
    """The cart as answered, with `variants` (by id) as they are now, and what an order of it would
    come to at its address, by the cheapest shipping method that carries it there.

    An empty cart is in the `default` currency. When the variants of a cart have come to have
    several, there is none, and no sum: amounts of two currencies are not added.
    """
    currency, lines = contents.priced(variants, default)
    shown: Json = {
        "items": [_shown(line, contents.sold(line, variants)) for line in contents.lines],
        "address": contents.address,
        "currency": currency,
        "prices_include_tax": charges.prices_include_tax,
    }
    if currency is None:
        return shown | dict.fromkeys((*_AMOUNTS, "shipping", "shipping_method")) | {"taxes": []}
    quotes = quote(lines, currency, contents.address, charges.terms) if lines else []
    cheapest = quotes[0] if quotes else None
    amounts = charge(lines, currency, contents.address, charges, cheapest)
    is_known = cheapest is not None or not (lines and currency in charges.terms.offer.currencies)
    return (
        shown
        | {name: getattr(amounts, name) for name in (*_AMOUNTS, "taxes")}
        | {"shipping": amounts.shipping if is_known else None}
        | {"shipping_method": cheapest and cheapest.method.code}
    )


def _shown(line: Row[Any], sold: Mapping[str, Any]) -> dict[str, Any]:
    price, currency = sold["price"], sold["currency"]
    return {
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "sku": sold["sku"],
        "name": sold["name"],
        "options": sold["options"],
        "quantity": line.quantity,
        "unit_price": price,
        "line_total": price * line.quantity,
        "currency": currency,
        "available": max(0, sold["available"]),
        "price_changed": (price, currency) != (line.unit_price, line.currency),
    }
