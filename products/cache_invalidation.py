"""Broadcasts of changes that readers see, for those who cache what they have read.

A transaction collects the ids of the products that it changes; after its commit they are published.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from chassis.database import Begin
from contracts.products.events import MAX_CHANGED
from products.context import Context

_CHANGED = "changed_products"
#: More than can be named: no ids are told then.
_ALL = frozenset(range(MAX_CHANGED + 1))


def mark_changed(session: Session, product_ids: Iterable[int] = ()) -> None:
    """These products, or only lists of products, look different after the transaction."""
    session.info.setdefault(_CHANGED, set()).update(product_ids)


def mark_all_changed(session: Session) -> None:
    """Any product may look different after the transaction."""
    session.info[_CHANGED] = _ALL


@contextmanager
def publishing(
    context: Context, broadcast_type: str, begin: Begin | None = None
) -> Iterator[Session]:
    """A transaction; after its commit what it has marked is published."""
    with (begin or context.db.begin)() as session:
        yield session
        changed = session.info.get(_CHANGED)
        if changed is not None:
            context.broadcast.publish(session, broadcast_type, changes(changed))


def changes(product_ids: Iterable[int]) -> dict[str, Any]:
    """The payload that names these products."""
    ids = sorted(set(product_ids))
    return {"ids": ids if len(ids) <= MAX_CHANGED else None}
