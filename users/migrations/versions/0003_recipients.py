"""Recipients of addresses; not every country has cities or postal codes in its addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ADDED = {"name": 200, "company": 200, "phone": 32}
_OPTIONAL = {"city": 100, "postal_code": 20}


def upgrade() -> None:
    for name, length in _ADDED.items():
        op.add_column("addresses", sa.Column(name, sa.String(length)))
    for name, length in _OPTIONAL.items():
        op.alter_column("addresses", name, existing_type=sa.String(length), nullable=True)


def downgrade() -> None:
    for name, length in _OPTIONAL.items():
        op.execute(f"UPDATE addresses SET {name} = '' WHERE {name} IS NULL")  # noqa: S608
        op.alter_column("addresses", name, existing_type=sa.String(length), nullable=False)
    for name in _ADDED:
        op.drop_column("addresses", name)
