"""What the catalog sells: products, their variants, and the stock of those."""

from collections.abc import Iterator

from shop.verify.books import Books
from shop.verify.violation import Violation

_BARE = """
    SELECT id FROM products WHERE deleted_at IS NULL AND NOT EXISTS (
        SELECT FROM variants WHERE product_id = products.id AND deleted_at IS NULL
    )
"""
_LEFT_BEHIND = """
    SELECT variants.id, product_id FROM variants JOIN products ON products.id = product_id
    WHERE variants.deleted_at IS NULL AND products.deleted_at IS NOT NULL
"""
_STRAY = """
    SELECT variants.id, value_id
    FROM variants, unnest(string_to_array(option_key, ',')::bigint[]) AS value_id
    WHERE deleted_at IS NULL AND NOT EXISTS (
        SELECT FROM option_values JOIN options ON options.id = option_id
        WHERE option_values.id = value_id AND options.product_id = variants.product_id
    )
"""
_UNCOUNTED = """
    SELECT id FROM variants
    WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM stock WHERE variant_id = variants.id)
"""


def variants(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM variants")


def misfits(books: Books) -> Iterator[Violation]:
    """Products without a variant, and variants without a product, a value or stock."""
    for row in books.rows("products", _BARE):
        yield Violation(f"product {row.id}", "has no variant")
    for row in books.rows("products", _LEFT_BEHIND):
        yield Violation(
            f"variant {row.id}", f"is for sale, and its product {row.product_id} is not"
        )
    for row in books.rows("products", _STRAY):
        yield Violation(f"variant {row.id}", f"has value {row.value_id}, which its product has not")
    for row in books.rows("products", _UNCOUNTED):
        yield Violation(f"variant {row.id}", "has no stock")
