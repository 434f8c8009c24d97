"""Payments as others see them."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from chassis import paging
from chassis.identity import Actor
from contracts.payments.errors import PaymentNotFound
from payments.models import Payment
from payments.views import SHOWN, PaymentView

_NEWEST = paging.Keyset("payments", Payment.created_at, Payment.id)


def get(connection: Connection, payment_id: uuid.UUID, actor: Actor) -> PaymentView:
    """One payment of the actor's (staff: any); raises `PaymentNotFound`."""
    found = connection.execute(_visible(actor).where(Payment.id == payment_id)).mappings().first()
    if found is None:
        raise PaymentNotFound
    return found


def by_reference(connection: Connection, provider: str, reference: str) -> PaymentView:
    """The payment that a provider knows by `reference`, or knew at first; raises
    `PaymentNotFound`."""
    names = or_(Payment.provider_reference == reference, Payment.return_reference == reference)
    wanted = select(*SHOWN).where(Payment.provider == provider, names).limit(1)
    found = connection.execute(wanted).mappings().first()
    if found is None:
        raise PaymentNotFound
    return found


def of_order(
    connection: Connection,
    order_id: uuid.UUID,
    key: str | None,
    actor: Actor,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[PaymentView], str | None]:
    """The payments of an order (with `key`: the one of that key), newest first, and the cursor of
    the next page.

    Someone else's order looks like one without payments: this service does not know which is.
    """
    wanted = _visible(actor).where(Payment.order_id == order_id)
    if key is not None:
        wanted = wanted.where(Payment.key == key)
    return _NEWEST.page(connection, wanted, limit, cursor)


def _visible(actor: Actor) -> Select[*tuple[Any, ...]]:
    wanted = select(*SHOWN)
    return wanted if actor.is_staff else wanted.where(Payment.user_id == actor.user_id)
