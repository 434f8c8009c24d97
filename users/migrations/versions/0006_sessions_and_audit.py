"""Sessions that tell where they are from and when they were last used; the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

#: Entries are never changed, and none is deleted before it is 90 days old.
APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are never changed, and kept for 90 days at least';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


def upgrade() -> None:
    op.add_column("sessions", sa.Column("last_used_at", MOMENT))
    op.execute("UPDATE sessions SET last_used_at = created_at")
    # Processes from before this migration may still write for a while.
    op.alter_column("sessions", "last_used_at", nullable=False, server_default=sa.func.now())
    op.add_column("sessions", sa.Column("network", sa.String(64)))
    op.add_column("sessions", sa.Column("client", sa.String(48)))
    _create_audit_entries()


def _create_audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("user_id", sa.UUID),
        sa.Column("actor_id", sa.UUID),
        sa.Column("actor_role", sa.String(16)),
        sa.Column("network", sa.String(64)),
        sa.Column("client", sa.String(48)),
        sa.Column("request_id", sa.String(128)),
        sa.Column("detail", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    for columns in (["at"], ["user_id", "at"], ["actor_id", "at"], ["action", "at"]):
        name = "_".join(["ix_audit_entries", *columns, "id"])
        op.create_index(name, "audit_entries", [*columns, "id"])
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION audit_is_append_only()")
    for column in ("last_used_at", "network", "client"):
        op.drop_column("sessions", column)
