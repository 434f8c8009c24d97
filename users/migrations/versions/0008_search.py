"""Users are found by each word, without accents, in any of what is told of them (`users.search`).

The index of a million users takes some minutes to make, in which nobody signs up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Accents go by compatibility decomposition (Unicode NFKD); letters that have none are written as
# their neighbours do. Apostrophes are left out, however they are typed.
SEARCH_FOLD = """
CREATE FUNCTION {schema}.search_fold(told text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(replace(replace(replace(translate(
        lower(regexp_replace(
            normalize(translate(told, '''\u2019\u2018`\u00b4\u02bc', ''), NFKD),
            '[\\u0300-\\u036f]', '', 'g'
        )),
        'øłđðħıŧ', 'olddhit'
    ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
$$
"""
SEARCH_TEXT = """
CREATE FUNCTION {schema}.search_text(
    email text, username text, first_name text, last_name text, phone text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT {schema}.search_fold(
        coalesce(email, '') || ' ' || coalesce(username, '') || ' ' || coalesce(first_name, '')
        || ' ' || coalesce(last_name, '') || ' ' || coalesce(phone, '')
    )
$$
"""
# Of each word all groups of three letters; and of its parts, between what is no letter or digit,
# the first one and the first two, after a space.
SEARCH_GRAMS = """
CREATE FUNCTION {schema}.search_grams(
    email text, username text, first_name text, last_name text, phone text
) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH words AS (
        SELECT regexp_split_to_table(
            {schema}.search_text(email, username, first_name, last_name, phone), '\\s+'
        ) AS word
    ),
    parts AS (SELECT regexp_split_to_table(word, '[^[:alnum:]]+') AS part FROM words)
    SELECT array_agg(gram) FROM (
        SELECT substr(word, place, 3) AS gram
        FROM words, generate_series(1, length(word) - 2) AS place
        UNION SELECT ' ' || left(part, 1) FROM parts WHERE part <> ''
        UNION SELECT ' ' || left(part, 2) FROM parts WHERE length(part) > 1
    ) AS grams
$$
"""


def upgrade() -> None:
    # Named in full, as the path to search is empty while PostgreSQL makes an index or restores one.
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    for function in (SEARCH_FOLD, SEARCH_TEXT, SEARCH_GRAMS):
        op.get_bind().exec_driver_sql(function.format(schema=schema))
    op.create_index(
        "ix_users_search",
        "users",
        [sa.text("search_grams(email, username, first_name, last_name, phone)")],
        postgresql_using="gin",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.execute("ANALYZE users")


def downgrade() -> None:
    op.drop_index("ix_users_search", "users")
    told = "text, text, text, text, text"
    op.execute(f"DROP FUNCTION search_grams({told})")
    op.execute(f"DROP FUNCTION search_text({told})")
    op.execute("DROP FUNCTION search_fold(text)")
