"""Lists of the shop, page by page."""

from collections.abc import Callable, Iterator
from typing import Any

from shop.operate.calls import SYSTEM


def all_of(ask: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Everything on all pages of the list that `ask` answers."""
    cursor = None
    while True:
        page = ask(actor=SYSTEM, limit=100, cursor=cursor)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return
