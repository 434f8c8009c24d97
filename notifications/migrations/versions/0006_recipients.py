"""Mails that confirm an address and tell an old one; how many go to one recipient."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("notifications", sa.Column("verification_id", sa.UUID))
    op.add_column("notifications", sa.Column("email_change_id", sa.UUID))
    for name in ("is_security", "is_counted"):
        op.add_column(
            "notifications",
            sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()),
        )
    _allow("'pending', 'sent', 'failed', 'skipped', 'suppressed'")
    op.create_table(
        "recipients",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("hour_began", MOMENT, nullable=False),
        sa.Column("hour_count", sa.Integer, nullable=False),
        sa.Column("day_began", MOMENT, nullable=False),
        sa.Column("day_count", sa.Integer, nullable=False),
        sa.CheckConstraint("octet_length(key) = 32", name=op.f("ck_recipients_sha256")),
        sa.PrimaryKeyConstraint("key", name="pk_recipients"),
    )
    op.create_index("ix_recipients_day_began", "recipients", ["day_began"])


def downgrade() -> None:
    op.drop_table("recipients")
    op.execute(
        "UPDATE notifications SET status = 'skipped', failure_code = 'recipient_limit'"
        " WHERE status = 'suppressed'"
    )
    _allow("'pending', 'sent', 'failed', 'skipped'")
    for name in ("is_counted", "is_security", "email_change_id", "verification_id"):
        op.drop_column("notifications", name)


def _allow(statuses: str) -> None:
    name = op.f("ck_notifications_status")
    op.drop_constraint(name, "notifications", type_="check")
    op.create_check_constraint(name, "notifications", f"status IN ({statuses})")
