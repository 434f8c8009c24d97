"""Typo tolerance: the words of the catalog that are near what somebody typed.

The usual extension for it, pg_trgm, is not there in every PostgreSQL (the embedded server has
none), and comparing each product's name by trigrams looks at most of a large catalog for every
search. Here a misspelled word is looked up among the distinct words of all products (the table
`search_words`, which grows with the language and not with the catalog), and then an ordinary
full-text search runs for what was found. The look-up is by symmetric deletion (SymSpell): two
words within an edit or two of each other become equal when some letters are left out of both, so
near words share a key (`spelling_keys` in the migration) and a GIN index finds them; how near they
really are is for `products.spelling` to say.
"""

from sqlalchemy import Connection, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from products import spelling

#: So many candidates for a word are compared, those of about its length first.
MAX_CANDIDATES = 300

# Stop words ("for", "the") are no search words and must not be corrected into some.
_NEAR = text("""
    SELECT typed.word, near.words
    FROM unnest(:typed) WITH ORDINALITY AS typed (word, position)
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(word), '{}') AS words FROM (
            SELECT word FROM search_words WHERE keys && spelling_keys(typed.word)
            ORDER BY abs(length(word) - length(typed.word)), word LIMIT :candidates
        ) AS candidate
    ) AS near
    WHERE to_tsvector('english', typed.word) <> ''
    ORDER BY position
""").bindparams(bindparam("typed", type_=ARRAY(Text)))


def corrected_query(connection: Connection, search: str) -> str:
    """What `search` may have meant, as text for to_tsquery; empty if it has no words."""
    typed = spelling.words(search)
    rows = connection.execute(_NEAR, {"typed": typed, "candidates": MAX_CANDIDATES})
    return spelling.corrected_query(dict(rows.all()))
