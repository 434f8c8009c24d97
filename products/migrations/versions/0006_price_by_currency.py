"""Prices are compared within a currency, so their indexes begin with it.

A process of the version before, which sorts by the plain number, sorts without an index until it is
renewed.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LIVE = "ON products ({}, id) WHERE deleted_at IS NULL"
_BEFORE = {"ix_products_price": "price", "ix_products_category_price": "category_id, price"}
_NOW = {
    "ix_products_currency_price": "currency, price",
    "ix_products_category_currency_price": "category_id, currency, price",
}


def upgrade() -> None:
    _replace(_BEFORE, _NOW)


def downgrade() -> None:
    _replace(_NOW, _BEFORE)


def _replace(old: dict[str, str], new: dict[str, str]) -> None:
    for name, columns in new.items():
        op.execute(f"CREATE INDEX {name} {_LIVE.format(columns)}")
    for name in old:
        op.execute(f"DROP INDEX {name}")
