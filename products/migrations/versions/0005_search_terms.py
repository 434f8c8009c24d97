"""Search terms that the service computes, instead of PostgreSQL.

The columns stay: what is in them is found until the service has computed its own terms, which it
does in the background (`indexed_version`), and an earlier release goes on reading and writing
beside this one. It leaves the terms to their defaults.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TITLE = (
    "to_tsvector('english', name || ' ' || sku)"
    " || jsonb_to_tsvector('english', attributes, '[\"string\"]')"
)
_GENERATED = {"title": _TITLE, "document": f"{_TITLE} || to_tsvector('english', description)"}

_REMEMBER_WORDS = """
CREATE FUNCTION remember_search_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_words (word)
    SELECT DISTINCT word COLLATE "C"
    FROM written, unnest(tsvector_to_array(
        to_tsvector('simple', name || ' ' || description)
        || jsonb_to_tsvector('simple', attributes, '["string"]')
    )) AS word
    WHERE word ~ '^[[:alpha:]]{3,30}$'
    ORDER BY 1
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    for column in _GENERATED:
        op.execute(f"ALTER TABLE products ALTER COLUMN {column} DROP EXPRESSION")
        op.execute(f"ALTER TABLE products ALTER COLUMN {column} SET DEFAULT ''")
    op.add_column(
        "products",
        sa.Column("indexed_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_index(
        "ix_products_stale",
        "products",
        ["id"],
        postgresql_where=sa.text("indexed_version <> version AND deleted_at IS NULL"),
    )
    for change in ("insert", "update"):
        op.execute(f"DROP TRIGGER remember_search_words_on_{change} ON products")
    op.execute("DROP FUNCTION remember_search_words()")


def downgrade() -> None:
    op.execute(_REMEMBER_WORDS)
    for change in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER remember_search_words_on_{change.lower()} AFTER {change} ON products"
            " REFERENCING NEW TABLE AS written"
            " FOR EACH STATEMENT EXECUTE FUNCTION remember_search_words()"
        )
    op.drop_index("ix_products_stale", "products")
    op.drop_column("products", "indexed_version")
    for column, expression in _GENERATED.items():
        op.drop_column("products", column)
        op.add_column(
            "products",
            sa.Column(column, TSVECTOR, sa.Computed(expression, persisted=True), nullable=False),
        )
        op.create_index(f"ix_products_{column}", "products", [column], postgresql_using="gin")
