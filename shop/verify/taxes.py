"""The taxes of orders: each worked out of what is taxed, and of lines and shipping together."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis import currencies
from shop.verify.books import Books
from shop.verify.violation import Violation

_ROWS = """
    SELECT order_taxes.*, currency, prices_include_tax
    FROM order_taxes JOIN orders ON orders.id = order_id
"""
_SUMS = """
    SELECT id, tax, coalesce(sum(amount), 0) AS sum
    FROM orders LEFT JOIN order_taxes ON order_id = id
    GROUP BY id, tax HAVING tax <> coalesce(sum(amount), 0)
"""
#: Of each tax class: what is taxed, and the tax of it, against lines and shipping. A class without
#: a rate has no row, and what is of it no tax.
_CLASSES = """
    SELECT order_id, tax_class, taxable, amount, net, tax FROM (
        SELECT order_id, tax_class, sum(net) AS net, sum(tax) AS tax FROM (
            SELECT order_id, tax_class, net, tax FROM order_lines
            UNION ALL
            SELECT id, shipping_tax_class, CASE WHEN prices_include_tax
                THEN shipping - shipping_tax ELSE shipping END, shipping_tax
            FROM orders WHERE shipping_tax_class IS NOT NULL
        ) AS part GROUP BY order_id, tax_class
    ) AS parts
    FULL JOIN (
        SELECT order_id, tax_class, sum(taxable) AS taxable, sum(amount) AS amount
        FROM order_taxes GROUP BY order_id, tax_class
    ) AS taxes USING (order_id, tax_class)
    WHERE CASE WHEN amount IS NULL THEN tax <> 0
        ELSE (taxable, amount) IS DISTINCT FROM (net, tax) END
"""


def rows(books: Books) -> int:
    return books.value("orders", "SELECT count(*) FROM order_taxes")


def wrong(books: Books) -> Iterator[Violation]:
    """Taxes that are not their rate of what is taxed, or that lines and shipping do not add up
    to."""
    for row in books.rows("orders", _ROWS):
        due = _due(row)
        if row.amount != due:
            yield Violation(
                f"order {row.order_id}",
                f"{row.rate} % of {row.taxable} is {due}, not {row.amount} ({row.tax_class})",
            )
    for row in books.rows("orders", _SUMS):
        yield Violation(f"order {row.id}", f"tax {row.tax}, its taxes {row.sum}")
    for row in books.rows("orders", _CLASSES):
        yield Violation(
            f"order {row.order_id}",
            f"{row.tax_class}: {row.amount} on {row.taxable}, its parts {row.tax} on {row.net}",
        )


def _due(row: sa.Row[Any]) -> Decimal:
    """The tax, rounded once, half up; where prices include it, worked out of taxable and tax."""
    base, whole = row.taxable, Decimal(100)
    if row.prices_include_tax:
        base, whole = row.taxable + row.amount, 100 + row.rate
    return currencies.rounded(base * row.rate / whole, row.currency)
