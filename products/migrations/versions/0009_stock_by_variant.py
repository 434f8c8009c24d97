"""Stock is kept of variants: for now each product has one, whose id is the product's."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_RENAMED = "ALTER TABLE {table} RENAME CONSTRAINT fk_{table}_{old} TO fk_{table}_{new}"


def upgrade() -> None:
    _rename("product", "variant")


def downgrade() -> None:
    _rename("variant", "product")


def _rename(old: str, new: str) -> None:
    for table in ("stock", "reservation_lines", "movements"):
        op.alter_column(table, f"{old}_id", new_column_name=f"{new}_id")
        op.execute(_RENAMED.format(table=table, old=f"{old}_id", new=f"{new}_id"))
    op.execute(f"ALTER INDEX ix_movements_{old} RENAME TO ix_movements_{new}")
