"""What admins do to the table of tax rates. Orders keep the rates at which they were placed."""

import datetime
import uuid
from decimal import Decimal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from chassis import countries, idempotency, staff
from chassis.constraints import map_integrity_error
from chassis.errors import Invalid, NotFound
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.orders.errors import TaxRateOverlaps
from contracts.users.enums import Action, Target
from orders.context import Context
from orders.models import RequestKey, TaxRate
from orders.taxes import queries

#: Of one country, for a checkout reads those that are not over.
MAX_RATES = 500


def create(
    context: Context,
    *,
    country: str,
    region: str | None,
    tax_class: str,
    rate: Decimal,
    label: str,
    reason: str | None,
    valid_from: datetime.datetime | None,
    valid_until: datetime.datetime | None,
    key: str | None,
    actor: Actor,
) -> Json:
    """A new rate of a tax class in a place, and whether it is a repeat under `key`.

    Raises `Forbidden`, `TaxRateOverlaps`, `Invalid` when it would end before it begins or the
    country has too many.
    """
    require_admin(actor)
    now = context.clock()
    place = {"country": country, "region": region and countries.region(region, country)}
    asked = {**place, "tax_class": tax_class, "rate": rate, "label": label, "reason": reason}
    print_ = idempotency.fingerprint(**asked, valid_from=valid_from, valid_until=valid_until)
    begins = valid_from or now
    if valid_until is not None and valid_until <= begins:
        raise Invalid(errors={"valid_until": ["Give a moment after the one it is valid from."]})
    with context.db.begin() as session:
        claim = idempotency.claim(
            session, RequestKey, actor.user_id, "create_tax_rate", key, print_, now
        )
        if claim.is_new:
            if queries.count(session, country, now) >= MAX_RATES:
                message = f"At most {MAX_RATES} of a country hold or are to hold."
                raise Invalid(errors={"country": [message]})
            with map_integrity_error({"ex_tax_rates_scope_valid": TaxRateOverlaps}):
                session.execute(
                    insert(TaxRate).values(
                        id=claim.resource_id,
                        **asked,
                        valid=Range(begins, valid_until),
                        created_at=now,
                    )
                )
            staff.tell(
                context,
                session,
                actor,
                Action.TAX_RATE_CREATED,
                Target.TAX_RATE,
                claim.resource_id,
                country=country,
                tax_class=tax_class,
                rate=str(rate),
            )
        return queries.get(session, claim.resource_id) | {"replayed": not claim.is_new}


def end(
    context: Context, tax_rate_id: uuid.UUID, valid_until: datetime.datetime | None, actor: Actor
) -> None:
    """Let a rate end at `valid_until`, or now. One that would never have held is deleted; one that
    ends earlier already is left as it is.

    Raises `Forbidden`, `NotFound`, `Invalid` for a moment that is past.
    """
    require_admin(actor)
    now = context.clock()
    until = valid_until or now
    if until < now:
        raise Invalid(
            errors={"valid_until": ["Give a moment that is not past: orders were taxed by it."]}
        )
    with context.db.begin() as session:
        valid = _lock(session, tax_rate_id)
        if valid.upper is not None and valid.upper <= until:
            return
        this = TaxRate.id == tax_rate_id
        if valid.lower is not None and valid.lower < until:
            session.execute(update(TaxRate).where(this).values(valid=Range(valid.lower, until)))
        else:
            session.execute(delete(TaxRate).where(this))
        staff.tell(context, session, actor, Action.TAX_RATE_ENDED, Target.TAX_RATE, tax_rate_id)


def _lock(session: Session, tax_rate_id: uuid.UUID) -> Range[datetime.datetime]:
    query = select(TaxRate.valid).where(TaxRate.id == tax_rate_id).with_for_update()
    valid = session.scalar(query)
    if valid is None:
        raise NotFound("There is no such tax rate.")
    return valid
