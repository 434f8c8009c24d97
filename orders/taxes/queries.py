"""The table of tax rates, as it is read."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from orders.context import Context
from orders.models import TaxRate
from orders.taxes import rules
from orders.taxes.rules import Entry, Place

COLUMNS = (
    TaxRate.id,
    TaxRate.country,
    TaxRate.region,
    TaxRate.tax_class,
    TaxRate.rate,
    TaxRate.label,
    TaxRate.reason,
    func.lower(TaxRate.valid).label("valid_from"),
    func.upper(TaxRate.valid).label("valid_until"),
    TaxRate.created_at,
)

_NEWEST = paging.Keyset("tax_rates", TaxRate.created_at, TaxRate.id)


def page(
    context: Context, actor: Actor, country: str | None, limit: int, cursor: str | None
) -> Json:
    """Tax rates for admins, the newest first."""
    require_admin(actor)
    query = select(*COLUMNS)
    if country is not None:
        query = query.where(TaxRate.country == country)
    with context.db.autocommit() as connection:
        rows, following = _NEWEST.page(connection, query, limit, cursor)
    return {"items": rows, "next": following}


def get(session: Session, tax_rate_id: uuid.UUID) -> dict[str, Any]:
    """One rate; raises `NotFound`, as for one that was deleted before it held."""
    row = session.execute(select(*COLUMNS).where(TaxRate.id == tax_rate_id)).mappings().first()
    if row is None:
        raise NotFound("There is no such tax rate.")
    return dict(row)


def count(session: Session, country: str, now: datetime.datetime) -> int:
    """How many rates of a country are not over."""
    is_over = func.upper(TaxRate.valid) <= now
    query = select(func.count()).where(TaxRate.country == country, is_over.is_not(True))
    return session.scalars(query).one()


def document(country: str, now: str) -> str:
    """SQL that makes one JSON document of the rates of a country which are not over, for statements
    that need them beside other things; `entries` reads it. Both arguments are SQL."""
    return f"""(
        SELECT jsonb_agg(jsonb_build_array(
            country, region, tax_class, rate::text, label, reason, lower(valid), upper(valid)
        )) FROM tax_rates WHERE country = {country} AND (upper_inf(valid) OR upper(valid) > {now})
    )"""  # noqa: S608  (SQL of ours)


def entries(document: Iterable[Sequence[Any]] | None) -> list[Entry]:
    """The rates in a `document`."""
    return [
        Entry(
            Place(country, region),
            tax_class,
            rules.TaxRate(Decimal(rate), label, reason),
            datetime.datetime.fromisoformat(valid_from),
            valid_until and datetime.datetime.fromisoformat(valid_until),
        )
        for country, region, tax_class, rate, label, reason, valid_from, valid_until in (
            document or ()
        )
    ]
