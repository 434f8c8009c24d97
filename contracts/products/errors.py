"""Errors of the products service; `chassis.errors.AlreadyExists` (SKU, slug) is another.

chassis.errors.Fault
 ├── NotFound
 │    ├── ProductNotFound   404  no such product, or it was deleted
 │    ├── VariantNotFound   404  no such variant, or it was deleted
 │    ├── OptionNotFound    404  the product has no such option
 │    └── CategoryNotFound  404  no such category
 └── Conflict
      ├── ChooseVariant     409  a product has several; `data["lines"]` names them
      ├── VariantExists     409  the product has a variant with these options
      ├── LastVariant       409  a product has at least one variant
      ├── OptionInUse       409  variants have a value of this option
      ├── CategoryInUse     409  it has products, or categories below it
      └── TooManyCategories 409  the tree is full
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from chassis.errors import Conflict, NotFound

#: What a buyer has to know of the variants of a product to choose one.
_CHOICE = ("sku", "options", "price", "currency", "available")


class ProductNotFound(NotFound):
    """No such product, or it was deleted."""

    code = "product_not_found"
    title = "There is no such product"


class VariantNotFound(NotFound):
    """No such variant, or it was deleted."""

    code = "variant_not_found"
    title = "There is no such variant"


class OptionNotFound(NotFound):
    """The product has no such option."""

    code = "option_not_found"
    title = "The product has no such option"


class ChooseVariant(Conflict):
    """A product was named that has several variants.

    `data["lines"]`: [{product_id, variants}], each variant {variant_id, sku, options, price,
    currency, available}.
    """

    code = "choose_variant"
    title = "This product comes in several variants; choose one"

    @classmethod
    def of(cls, choices: Mapping[int, Iterable[Mapping[str, Any]]]) -> Self:
        """Of these variants (`answers.SoldVariant`) of products, by product id."""
        lines = [
            {
                "product_id": product_id,
                "variants": [
                    {"variant_id": one["id"]}
                    | {name: one[name] for name in _CHOICE}
                    | {"price": str(one["price"])}
                    for one in variants
                ],
            }
            for product_id, variants in choices.items()
        ]
        return cls(lines=lines)


class VariantExists(Conflict):
    """The product has a variant with these options."""

    code = "variant_exists"
    title = "The product has a variant with these options"


class LastVariant(Conflict):
    """A product has at least one variant: delete the product."""

    code = "last_variant"
    title = "A product has at least one variant"


class OptionInUse(Conflict):
    """`data["values"]` are those that variants have: delete the variants, or give them others."""

    code = "option_in_use"
    title = "Variants have a value of this option"


class CategoryNotFound(NotFound):
    """No such category."""

    code = "category_not_found"
    title = "There is no such category"


class CategoryInUse(Conflict):
    """The category has products, or categories below it: move them first."""

    code = "category_in_use"
    title = "Products or categories hang on this category"


class TooManyCategories(Conflict):
    """The tree is full."""

    code = "too_many_categories"
    title = "There are as many categories as there can be"
