"""The audit trail takes what staff do in the other services, to things that are no accounts."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_inbox

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_inbox()
    op.add_column("audit_entries", sa.Column("target", sa.String(24)))
    op.add_column("audit_entries", sa.Column("target_id", sa.String(64)))
    op.create_index(
        "ix_audit_entries_target_at_id",
        "audit_entries",
        ["target", "target_id", "at", "id"],
        postgresql_where=sa.text("target IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_entries_target_at_id", "audit_entries")
    for column in ("target_id", "target"):
        op.drop_column("audit_entries", column)
    op.drop_table("inbox")
