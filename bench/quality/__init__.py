"""Does a search find what people look for? Queries as shoppers type them, and what each must find.

The catalog is the sample data and `goods.yaml`, names that are awkward to find; `queries.yaml` has
the queries by kinds. All in process, on a database of its own.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from chassis.identity import Actor
from products.catalog import listing, store
from products.catalog.listing import Filters
from shop.sample import departments

#: So many results are looked at; more are not seen without scrolling.
SEEN = 10

_FOLDER = Path(__file__).parent
_BEGINNING = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Outcome:
    """A query of some kind, the SKUs that it must find and the first `SEEN` that it found."""

    kind: str
    query: str
    wanted: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def recall(self) -> float:
        """How much of what it must find is among the first ten."""
        return len({*self.wanted} & {*self.found}) / len(self.wanted)

    @property
    def reciprocal_rank(self) -> float:
        """1 for a wanted product in the first place, 1/2 for the second, 0 for none."""
        ranks = [rank for rank, sku in enumerate(self.found, 1) if sku in self.wanted]
        return 1 / ranks[0] if ranks else 0.0


def fill(session: Session) -> None:
    """Put the products into an empty, migrated database; each is a minute younger than the last."""
    awkward = yaml.safe_load((_FOLDER / "goods.yaml").read_text())
    _, sample = departments.read()
    for number, fields in enumerate([*(product.fields for product in sample), *awkward]):
        product = {"description": "", "images": [], "attributes": {}, "price": "10.00"} | fields
        product |= {"price": Decimal(product["price"]), "currency": "EUR"}
        stock = product.pop("stock", 1)
        for name in ("options", "variants"):  # the queries are about products
            product.pop(name, None)
        now = _BEGINNING + number * datetime.timedelta(minutes=1)
        store.add(session, product, stock, Actor.SYSTEM, now)


def queries() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, query, and the SKUs that it must find."""
    kinds: dict[str, dict[str, Any]] = yaml.safe_load((_FOLDER / "queries.yaml").read_text())
    for kind, of_kind in kinds.items():
        for query, wanted in of_kind.items():
            yield kind, str(query), (wanted,) if isinstance(wanted, str) else tuple(wanted)


def ask(connection: Connection) -> list[Outcome]:
    """What each query finds."""
    outcomes = []
    for kind, query, wanted in queries():
        page = listing.list_products(connection, Filters(query), None, SEEN, None, _BEGINNING)
        found = tuple(item["sku"] for item in page["items"])
        outcomes.append(Outcome(kind, query, wanted, found))
    return outcomes


def recall(outcomes: Sequence[Outcome]) -> float:
    """The mean over queries."""
    return sum(each.recall for each in outcomes) / len(outcomes)


def mean_reciprocal_rank(outcomes: Sequence[Outcome]) -> float:
    """How far up the first wanted product is, the mean over queries."""
    return sum(each.reciprocal_rank for each in outcomes) / len(outcomes)
