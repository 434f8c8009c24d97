"""A second factor: secrets, recovery codes, and challenges of those who have shown the password."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "totp",
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("last_step", sa.BigInteger),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (last_step IS NULL)",
            name=op.f("ck_totp_confirmed_by_a_code"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_totp_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_totp"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("octet_length(code_hash) = 32", name=op.f("ck_recovery_codes_sha256")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id"),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
    )
    op.create_table(
        "totp_challenges",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_totp_challenges_sha256")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_totp_challenges_user_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_totp_challenges"),
    )
    op.create_index("ix_totp_challenges_user_id", "totp_challenges", ["user_id"])
    op.create_index("ix_totp_challenges_expires_at", "totp_challenges", ["expires_at"])


def downgrade() -> None:
    for table in ("totp_challenges", "recovery_codes", "totp"):
        op.drop_table(table)
