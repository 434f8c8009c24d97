"""The terms of a country, as statements read them that are needed anyway."""

import datetime
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

from orders.shipping import store as shipping
from orders.shipping.rules import Offer
from orders.taxes import queries as taxes
from orders.terms.rules import Terms


def columns(country: str, now: str) -> str:
    """SQL of two columns, `rates` and `offer`, which `load` reads; the arguments are SQL."""
    return f"{taxes.document(country, now)} AS rates, {shipping.offer(country)} AS offer"


def load(row: Row[Any]) -> Terms:
    """The terms in a row that has these columns."""
    return Terms(taxes.entries(row.rates), Offer.from_json(row.offer))


_READ = text(f"SELECT {columns(':country', ':now')}")


def read(connection: Connection | Session, country: str, now: datetime.datetime) -> Terms:
    """The terms of a country, by a statement of their own."""
    return load(connection.execute(_READ, {"country": country, "now": now}).one())
