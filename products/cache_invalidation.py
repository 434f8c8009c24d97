"""What is told of changes that readers see: hints for those who remember what they have read.

While a transaction goes on, what it changes is noted; when it has committed, that is told.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy.orm import Session

from contracts.products.events import MAX_CHANGED

_NOTED = "changed_products"


def note(session: Session, product_ids: Iterable[int] = ()) -> None:
    """These products, or only lists of products, look different after the transaction."""
    session.info.setdefault(_NOTED, set()).update(product_ids)


@contextmanager
def announced(
    begun: AbstractContextManager[Session],
    publish: Callable[[Session, str, dict[str, Any]], None],
    broadcast_type: str,
) -> Iterator[Session]:
    """The transaction that `begun` begins; what it notes is told as `{"ids": [...]}`."""
    with begun as session:
        yield session
        changed = session.info.get(_NOTED)
        if changed is not None:
            publish(session, broadcast_type, changes(changed))


def changes(product_ids: Iterable[int]) -> dict[str, Any]:
    """The payload that names these products."""
    ids = sorted(set(product_ids))
    return {"ids": ids if len(ids) <= MAX_CHANGED else None}
