"""Categories, products and what finds them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LIVE = sa.text("deleted_at IS NULL")

# What a word shares with its misspellings: the start of it with up to one letter (two, in longer
# words) left out. Two words within that many edits always have such a key in common.
SPELLING_KEYS = """
CREATE FUNCTION spelling_keys(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH whole AS (SELECT left(word, 7) AS key),
    one_less AS (
        SELECT overlay(key PLACING '' FROM i FOR 1) AS key
        FROM whole, generate_series(1, length(key)) AS i
    ),
    two_less AS (
        SELECT overlay(key PLACING '' FROM i FOR 1) AS key
        FROM one_less, generate_series(1, length(key)) AS i
        WHERE length(word) > 5
    )
    SELECT array_agg(key) FROM (
        SELECT key FROM whole UNION SELECT key FROM one_less UNION SELECT key FROM two_less
    ) AS keys
$$
"""

# Sorted, so that two transactions that add the same words wait for each other in one order.
REMEMBER_WORDS = """
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
    _create_catalog()
    _create_search()


def _create_catalog() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("parent_id", sa.BigInteger),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_categories_not_own_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name="fk_categories_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
        sa.UniqueConstraint("slug", name="uq_categories_slug"),
    )
    op.create_index("ix_categories_parent_id", "categories", ["parent_id"])
    title = (
        "to_tsvector('english', name || ' ' || sku)"
        " || jsonb_to_tsvector('english', attributes, '[\"string\"]')"
    )
    document = f"{title} || to_tsvector('english', description)"
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("category_id", sa.BigInteger),
        sa.Column("images", JSONB, nullable=False),
        sa.Column("attributes", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.Column(
            "sort_name",
            sa.Text(collation="C"),
            sa.Computed("left(lower(name), 100)", persisted=True),
            nullable=False,
        ),
        sa.Column("title", TSVECTOR, sa.Computed(title, persisted=True), nullable=False),
        sa.Column("document", TSVECTOR, sa.Computed(document, persisted=True), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_products_price_not_negative")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_products_currency_iso")),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name="fk_products_category_id"),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("sku", name="uq_products_sku"),
    )
    for order, column in (("newest", "created_at"), ("price", "price"), ("name", "sort_name")):
        op.create_index(f"ix_products_{order}", "products", [column, "id"], postgresql_where=LIVE)
        op.create_index(
            f"ix_products_category_{order}",
            "products",
            ["category_id", column, "id"],
            postgresql_where=LIVE,
        )
    op.create_index(
        "ix_products_category_deleted",
        "products",
        ["category_id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )


def _create_search() -> None:
    for column in ("title", "document"):
        op.create_index(f"ix_products_{column}", "products", [column], postgresql_using="gin")
    op.execute(SPELLING_KEYS)
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "keys",
            sa.ARRAY(sa.Text),
            sa.Computed("spelling_keys(word)", persisted=True),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("word", name="pk_search_words"),
    )
    op.create_index("ix_search_words_keys", "search_words", ["keys"], postgresql_using="gin")
    op.execute(REMEMBER_WORDS)
    for change in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER remember_search_words_on_{change.lower()} AFTER {change} ON products"
            " REFERENCING NEW TABLE AS written"
            " FOR EACH STATEMENT EXECUTE FUNCTION remember_search_words()"
        )


def downgrade() -> None:
    for table in ("search_words", "products", "categories"):
        op.drop_table(table)
    for function in ("remember_search_words()", "spelling_keys(text)"):
        op.execute(f"DROP FUNCTION {function}")
