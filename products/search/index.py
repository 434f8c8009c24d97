"""The search index: what a product is found by, and the words that a misspelling may mean.

Terms are computed in Python (`products.search.terms`), when a product is written and when somebody
searches, and compared in PostgreSQL as they are. `indexed_version` is the version of the product
that its terms are of: what was written by other means, or by an earlier release during an upgrade,
is behind, and indexed by a timer.

The usual extension against misspellings, pg_trgm, is not there in every PostgreSQL, and comparing
each product's name by trigrams looks at most of a large catalog for every search. Here a misspelled
word is looked up among the distinct words of all products (the table `search_words`, which grows
with the language and not with the catalog). The look-up is by symmetric deletion (SymSpell): two
words within an edit or two of each other become equal when some letters are left out of both, so
near words share a key (`spelling_keys` in the migration) and a GIN index finds them; how near they
really are is for `products.search.spelling` to say.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from products.models import Product, SearchWord
from products.search import spelling, terms, tsquery

#: So many candidates for a word are compared, those of about its length first.
MAX_CANDIDATES = 300

#: The fields of a product that are searched.
SEARCHED = ("name", "sku", "description", "attributes")

#: What its variants add: their SKUs, and the values of their options.
_OF_VARIANTS = literal_column(
    """ARRAY(
        SELECT sku FROM variants
        WHERE product_id = products.id AND deleted_at IS NULL AND sku IS NOT NULL
        UNION ALL
        SELECT value FROM option_values JOIN options ON options.id = option_id
        WHERE product_id = products.id
    )""",
    ARRAY(Text),
).label("variants")

_SEARCHED = select(
    Product.id, Product.version, *(getattr(Product, name) for name in SEARCHED), _OF_VARIANTS
)

_NEAR = text("""
    SELECT typed.word, near.words
    FROM unnest(:typed) AS typed (word)
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(word), '{}') AS words FROM (
            SELECT word FROM search_words WHERE keys && spelling_keys(typed.word)
            ORDER BY abs(length(word) - length(typed.word)), word LIMIT :candidates
        ) AS candidate
    ) AS near
""").bindparams(bindparam("typed", type_=ARRAY(Text)))
_KNOWN = select(SearchWord.word).where(
    SearchWord.word == func.any(bindparam("words", type_=ARRAY(Text)))
)


def corrected_query(connection: Connection, search: str) -> tsquery.Query | None:
    """What `search` may have meant; None if it has no words."""
    wanted = terms.wanted(terms.words(search))
    # A single letter says nothing where others are misspelled; a character may be a word.
    words = [word for word in wanted if len(word.whole) > 1 or not word.whole.isascii()] or wanted
    typed = [word.whole for word in words if not word.is_stop_word and word.whole.isalpha()]
    if not typed:
        return tsquery.corrected(words, {}, {})
    rows = connection.execute(_NEAR, {"typed": typed, "candidates": MAX_CANDIDATES})
    near = {word: spelling.nearest(word, candidates) for word, candidates in rows}
    return tsquery.corrected(words, near, _halves(connection, typed))


def _halves(connection: Connection, typed: list[str]) -> dict[str, tuple[str, str]]:
    """Two words that there are, for each of `typed` that can be read as two."""
    pairs = {word: spelling.halves(word) for word in typed}
    parts = {part for found in pairs.values() for pair in found for part in pair}
    known = set(connection.scalars(_KNOWN, {"words": sorted(parts)})) if parts else set()
    fitting = {word: [p for p in found if known.issuperset(p)] for word, found in pairs.items()}
    return {word: found[0] for word, found in fitting.items() if found}


def indexed(session: Session, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns by which a product with these fields is found. Its words are known from now on.

    `fields` has all of `SEARCHED`, and `variants`: what these add, if anything.
    """
    found = terms.index_terms(fields)
    _remember(session, found.words)
    return {
        "title": func.array_to_tsvector(_array(found.title)),
        "document": func.array_to_tsvector(_array(found.document)),
    }


def still_indexed() -> ColumnElement[int]:
    """`indexed_version` of a product whose version moves on, while what it is found by stays."""
    return Product.indexed_version + cast(Product.indexed_version == Product.version, Integer)


def searched(session: Session, product_id: int) -> dict[str, Any]:
    """The fields of the product that are searched, and its `version`."""
    return session.execute(_SEARCHED.where(Product.id == product_id)).one()._asdict()


def index_stale(session: Session, most: int) -> int:
    """Index up to `most` products that were written by other means; how many there were."""
    stale = (
        _SEARCHED.where(Product.indexed_version != Product.version, Product.deleted_at.is_(None))
        .order_by(Product.id)
        .limit(most)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = session.execute(stale).all()
    for row in rows:
        columns = indexed(session, row._asdict()) | {"indexed_version": row.version}
        session.execute(update(Product).where(Product.id == row.id).values(**columns))
    return len(rows)


def _remember(session: Session, words: Iterable[str]) -> None:
    # Sorted, so that two transactions that add the same words wait for each other in one order.
    rows = select(func.unnest(_array(words)))
    session.execute(insert(SearchWord).from_select(["word"], rows).on_conflict_do_nothing())


def _array(texts: Iterable[str]) -> Any:
    return literal(sorted(texts), ARRAY(Text))
