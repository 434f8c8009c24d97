"""Prices have the places of their currency: none in yen, three in dinars.

A price that its currency has no coins for, which nobody could pay, is rounded.
"""

from alembic import op

from chassis.currencies import places_in_sql
from chassis.migrations import keep_places, set_places, set_two_places

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_IN_COINS = f"price = round(price, {places_in_sql()})"


#: Of variants that have a price of their own.
_OF_VARIANTS = f"""
    UPDATE variants SET price = round(variants.price, {places_in_sql()})
    FROM products WHERE products.id = product_id AND {places_in_sql()} <> 2
"""  # noqa: S608


def upgrade() -> None:
    keep_places("products", "price")
    keep_places("variants", "price")
    set_places("products", "price")
    op.execute(f"UPDATE products SET {_IN_COINS} WHERE NOT ({_IN_COINS})")  # noqa: S608
    op.execute(_OF_VARIANTS)
    op.create_check_constraint(op.f("ck_products_price_in_coins"), "products", _IN_COINS)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_products_price_in_coins"), "products")
    set_two_places("products", "price")
    set_two_places("variants", "price")
