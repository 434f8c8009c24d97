"""The audit: do ledger, reservations and counters agree?"""

import sqlalchemy as sa

from shop.verify import stock


class Inventory:
    """`shop.verify.Books` of the products alone."""

    def __init__(self, engine):
        self._engine = engine

    def rows(self, package, statement):
        assert package == "products"
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text(statement)))


def discrepancies(engine):
    """Products whose counters are not the sums of their movements, or whose reserved units are not
    those that orders hold; that were oversold at any moment; orders that took something else than
    they reserved."""
    books = Inventory(engine)
    return [*stock.counters(books), *stock.short(books), *stock.taken(books)]
