"""Reading the parcels of an order."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from chassis import paging
from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.messages import Json
from orders.fulfilments import store
from orders.models import Fulfilment
from orders.order import queries as order_queries

_SHOWN: tuple[Any, ...] = (
    Fulfilment.id,
    Fulfilment.order_id,
    Fulfilment.location,
    Fulfilment.state,
    Fulfilment.carrier,
    Fulfilment.tracking_number,
    Fulfilment.tracking_url,
    Fulfilment.created_at,
    Fulfilment.shipped_at,
    Fulfilment.delivered_at,
    Fulfilment.version,
)

_OLDEST = paging.Keyset("fulfilments", Fulfilment.created_at, Fulfilment.id, ascending=True)


class FulfilmentNotFound(NotFound):
    """There is no such parcel, or it is of somebody else's order."""

    title = "There is no such parcel"


def get(connection: Connection | Session, fulfilment_id: uuid.UUID, actor: Actor) -> Json:
    """One parcel, for the owner of its order or staff; raises `NotFound`."""
    query = select(*_SHOWN).where(Fulfilment.id == fulfilment_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise FulfilmentNotFound
    order_queries.get(connection, row["order_id"], actor)
    return _views(connection, [row])[0]


def page(
    connection: Connection, order_id: uuid.UUID, actor: Actor, limit: int, cursor: str | None
) -> Json:
    """The parcels of an order, oldest first, for its owner or staff; raises `NotFound`."""
    order_queries.get(connection, order_id, actor)
    query = select(*_SHOWN).where(Fulfilment.order_id == order_id)
    rows, following = _OLDEST.page(connection, query, limit, cursor)
    return {"items": _views(connection, rows), "next": following}


def view_of(session: Session, parcel: Fulfilment) -> Json:
    """A parcel of a locked order as answered."""
    return _views(session, [{column.key: getattr(parcel, column.key) for column in _SHOWN}])[0]


def _views(
    connection: Connection | Session, parcels: Sequence[Mapping[Any, Any]]
) -> list[dict[str, Any]]:
    units = store.units(connection, [parcel["id"] for parcel in parcels])
    return [
        dict(parcel)
        | {
            "items": [
                {"line": line, "quantity": quantity}
                for line, quantity in units[parcel["id"]].items()
            ]
        }
        for parcel in parcels
    ]
