"""E-mail addresses are confirmed. Those that are there count as confirmed: their owners have had
mails about orders and new passwords at them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ANONYMOUS = "deleted_at IS NULL OR num_nonnulls({}) = 0"


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("email_verified", sa.Boolean, nullable=False, server_default=sa.true()),
    )
    # What a process of the version before registers during an upgrade has confirmed nothing.
    op.alter_column("users", "email_verified", server_default=sa.false())
    op.add_column("users", sa.Column("pending_email", sa.String(254)))
    _forget_when_deleted(
        "email, pending_email, username, first_name, last_name, phone, password_hash"
    )
    op.create_table(
        "email_verifications",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("token_hash", sa.LargeBinary),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_email_verifications_sha256")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_email_verifications_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_email_verifications"),
        sa.UniqueConstraint("user_id", name="uq_email_verifications_user_id"),
        sa.UniqueConstraint("token_hash", name="uq_email_verifications_token_hash"),
    )
    op.create_index("ix_email_verifications_expires_at", "email_verifications", ["expires_at"])
    op.create_table(
        "email_changes",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("old_email", sa.String(254), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_email_changes_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_email_changes"),
    )
    op.create_index("ix_email_changes_user_id", "email_changes", ["user_id"])
    op.create_index("ix_email_changes_expires_at", "email_changes", ["expires_at"])


def downgrade() -> None:
    op.drop_table("email_changes")
    op.drop_table("email_verifications")
    _forget_when_deleted("email, username, first_name, last_name, phone, password_hash")
    op.drop_column("users", "pending_email")
    op.drop_column("users", "email_verified")


def _forget_when_deleted(columns: str) -> None:
    name = op.f("ck_users_deleted_is_anonymous")
    op.drop_constraint(name, "users", type_="check")
    op.create_check_constraint(name, "users", ANONYMOUS.format(columns))
