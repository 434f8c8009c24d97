"""A variant as it is sold, also when it is deleted: the one definition, for carts and for orders.

Columns of statements that read the tables `variants` and `products`, joined.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, Label, Text, literal_column
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

from products.models import Product

# Most variants are the only ones of their products: for those no options are looked up. A value
# that only deleted variants have may be deleted, too.
_OPTIONS = """CASE WHEN option_key = '' THEN '{}' ELSE (
    SELECT coalesce(
        json_object_agg(options.name, value ORDER BY options.position, options.id), '{}'
    )
    FROM option_values JOIN options ON options.id = option_id
    WHERE option_values.id = ANY(string_to_array(option_key, ',')::bigint[])
) END"""

_IS_ONLY = """NOT EXISTS (
    SELECT FROM variants AS other WHERE other.product_id = variants.product_id
    AND other.id <> variants.id AND other.deleted_at IS NULL
)"""

_COLUMNS: dict[str, tuple[TypeEngine[Any], str]] = {
    "product_id": (BigInteger(), "variants.product_id"),
    "sku": (Text(), "coalesce(variants.sku, products.sku)"),
    "name": (Text(), "products.name"),
    "options": (JSON(), _OPTIONS),
    "price": (Product.price.type, "coalesce(variants.price, products.price)"),
    "currency": (Text(), "products.currency"),
    "tax_class": (Text(), "products.tax_class"),
    "weight_g": (Integer(), "variants.weight_g"),
    "is_only": (Boolean(), _IS_ONLY),
}

#: By their names.
COLUMNS: dict[str, Label[Any]] = {
    name: literal_column(sql, type_).label(name) for name, (type_, sql) in _COLUMNS.items()
}
#: The same for a statement that is written out.
SQL = ",\n".join(f"{sql} AS {name}" for name, (_, sql) in _COLUMNS.items())
