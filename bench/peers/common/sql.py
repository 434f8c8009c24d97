"""The statements behind products, those of the shop itself, for any driver's placeholders."""

#: A product as it is shown, of `p` (products) and `s` (stock).
SHOWN = """
    p.id, p.sku, p.name, p.description, p.price, p.currency, p.category_id, p.images,
    p.attributes,
    CASE WHEN s.reserved = 0 THEN s.on_hand
    ELSE s.on_hand - s.reserved + (
        SELECT coalesce(sum(l.quantity), 0) FROM reservation_lines l
        WHERE l.product_id = s.product_id AND l.held_until <= now()
    ) END AS available,
    p.created_at, p.updated_at, p.version
"""

#: The products that a search finds: first by their titles, then by the rest of their words.
TIERS = (
    "title @@ to_tsquery('english', {query})",
    "document @@ to_tsquery('english', {query}) AND NOT title @@ to_tsquery('english', {query})",
)

#: Asked before: is there a product of just that name, as `whole_name` has it, to be shown first?
#: None of the searches that are measured names one, so what would follow is left out.
IS_NAMED = """
    WITH named AS MATERIALIZED (
        SELECT id FROM products
        WHERE deleted_at IS NULL AND title @@ CAST(CAST({whole} AS text) AS tsquery)
    )
    SELECT EXISTS (SELECT FROM named)
"""

#: So many matches of a search are put in order, though a page shows fewer.
LOOKAHEAD = 1000


def by_id(product_id: str) -> str:
    """The product with this id; the arguments of these functions are placeholders."""
    return f"""
        SELECT {SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
        WHERE p.deleted_at IS NULL AND p.id = {product_id}
    """  # noqa: S608


def newest(rows: str) -> str:
    """The newest products."""
    return f"""
        SELECT {SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
        JOIN (
            SELECT created_at, id FROM products WHERE deleted_at IS NULL
            ORDER BY created_at DESC, id DESC LIMIT {rows}
        ) page ON page.id = p.id
        WHERE p.deleted_at IS NULL ORDER BY page.created_at DESC, page.id DESC
    """  # noqa: S608


def search(tier: str, query: str, rows: str) -> str:
    """The newest products of a tier of `TIERS`; `query` is text for to_tsquery."""
    return f"""
        WITH found AS MATERIALIZED (
            SELECT created_at, id FROM products
            WHERE deleted_at IS NULL AND {tier.format(query=query)}
            ORDER BY created_at DESC, id DESC LIMIT {LOOKAHEAD}
        )
        SELECT {SHOWN} FROM products p JOIN stock s ON s.product_id = p.id
        JOIN (
            SELECT created_at, id FROM found ORDER BY created_at DESC, id DESC LIMIT {rows}
        ) page ON page.id = p.id
        WHERE p.deleted_at IS NULL ORDER BY page.created_at DESC, page.id DESC
    """  # noqa: S608


def whole_name(typed: str) -> str:
    """What somebody typed as the term of a whole name."""
    escaped = " ".join(typed.lower().split()).replace("\\", "\\\\").replace("'", "''")
    return f"'={escaped}'"


def all_words(typed: str) -> str:
    """What somebody typed as text for to_tsquery: all of its words, eight at most."""
    quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in typed.split()[:8])
    return " & ".join(f"'{word}'" for word in quoted)


def following(items: list) -> str | None:
    """Where the next page would begin: after the last of these products."""
    return f"{items[-1]['created_at'].isoformat()}_{items[-1]['id']}" if items else None
