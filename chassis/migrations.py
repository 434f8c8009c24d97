"""What the services' Alembic environments share."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase

from chassis import config as configuration
from chassis.currencies import places_in_sql

#: Migrations of one database exclude each other by this advisory lock, so that several
#: instances may start at once.
MIGRATION_LOCK = 7_206_151


def run(context: Any, base: type[DeclarativeBase], package: str) -> None:
    """Run the migrations of `package`; the whole of an Alembic `env.py`.

    The database is `context.config.attributes["url"]` when given (the `shop` command, tests),
    else the one that the environment names.
    """
    url = context.config.attributes.get("url") or configuration.database_url(
        configuration.load(), package
    )
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=base.metadata)
        with context.begin_transaction():
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            context.run_migrations()
    engine.dispose()


def create_outbox() -> None:
    """Create the table of `chassis.models.OutboxMixin`. As in any migration its columns are written
    out: what has been migrated must not change with the model."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.UUID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("payload", postgresql.JSONB, nullable=False),
        sa.Column("headers", postgresql.JSONB, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("event_id", name="uq_outbox_event_id"),
    )
    op.create_index(
        "ix_outbox_unsent", "outbox", ["id"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_index(
        "ix_outbox_sent_at", "outbox", ["sent_at"], postgresql_where=sa.text("sent_at IS NOT NULL")
    )


def create_inbox() -> None:
    """Create the table of `chassis.models.InboxMixin`; see `create_outbox`."""
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.UUID, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column(
            "handled_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", "handler", name="pk_inbox"),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])


def create_request_keys() -> None:
    """Create the table of `chassis.models.RequestKeyMixin`."""
    op.create_table(
        "request_keys",
        sa.Column("owner", sa.UUID, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("resource_id", sa.UUID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "operation", "key", name="pk_request_keys"),
    )
    op.create_index("ix_request_keys_created_at", "request_keys", ["created_at"])


def keep_places(table: str, *columns: str) -> None:
    """Let each amount in these columns have places of its own, as its currency has; no row is
    written anew for that."""
    for column in columns:
        op.alter_column(table, column, type_=sa.Numeric())


def set_places(table: str, *columns: str, of: str | None = None) -> None:
    """Write the amounts in these columns with the places of their currency, where those are not
    two: it is in the same table, or in the table `of` which `<table>.order_id` points to. What the
    currency has no coins for stays as it is."""
    places = places_in_sql(f"{of or table}.currency")
    changes = ", ".join(
        f"{name} = CASE WHEN {table}.{name} = round({table}.{name}, {places})"
        f" THEN round({table}.{name}, {places}) ELSE {table}.{name} END"
        for name in columns
    )
    source = f"FROM {of} WHERE {of}.id = {table}.order_id AND" if of else "WHERE"
    op.execute(f"UPDATE {table} SET {changes} {source} {places} <> 2")  # noqa: S608  (names of ours)


def set_two_places(table: str, *columns: str) -> None:
    """Write the amounts in these columns with two places at least, as all releases did before each
    currency had its own. The columns stay as they are: what has more places would not fit."""
    for name in columns:
        rounded = f"SET {name} = round({name}, 2) WHERE scale({name}) < 2"
        op.execute(f"UPDATE {table} {rounded}")
