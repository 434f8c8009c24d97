"""Counted attempts, known networks, new passwords by mail; versions of what `If-Match` asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_throttles()
    _create_password_resets()
    for table in ("users", "addresses"):
        op.add_column(
            table, sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1"))
        )
        op.alter_column(table, "version", server_default=None)


def _create_throttles() -> None:
    op.create_table(
        "throttles",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", MOMENT, nullable=False),
        sa.Column("retry_at", MOMENT, nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_throttles_failures")),
        sa.PrimaryKeyConstraint("key", name="pk_throttles"),
    )
    op.create_index("ix_throttles_failed_at", "throttles", ["failed_at"])
    op.create_table(
        "known_networks",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("network", sa.LargeBinary, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_known_networks_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_known_networks"),
        sa.UniqueConstraint("user_id", "network", name="uq_known_networks_user_id_network"),
    )
    op.create_index("ix_known_networks_seen_at", "known_networks", ["seen_at"])


def _create_password_resets() -> None:
    op.create_table(
        "password_resets",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID),
        sa.Column("token_hash", sa.LargeBinary),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_password_resets_sha256")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_password_resets_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_password_resets"),
        sa.UniqueConstraint("token_hash", name="uq_password_resets_token_hash"),
    )
    op.create_index("ix_password_resets_user_id", "password_resets", ["user_id"])
    op.create_index("ix_password_resets_expires_at", "password_resets", ["expires_at"])


def downgrade() -> None:
    for table in ("users", "addresses"):
        op.drop_column(table, "version")
    for table in ("password_resets", "known_networks", "throttles"):
        op.drop_table(table)
