"""What products is asked."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Currency,
    CurrencyInUse,
    Id,
    List,
    Money,
    Page,
    Quantity,
    Request,
    SingleLine,
    Text,
    Url,
)
from contracts.products.enums import Sort
from contracts.products.fields import (
    MAX_ON_HAND,
    STANDARD,
    Attributes,
    CategoryRef,
    Sku,
    Slug,
    TaxClass,
)

#: Products that one call asks for.
MAX_IDS = 200


class ListProducts(Page):
    """list: products that pass all filters; a `category` stands for its descendants too. Without
    `sort` a search comes by relevance, anything else newest first."""

    search = Text(max=200, min=0, load_default=None, allow_none=True)
    category = CategoryRef(load_default=None, allow_none=True)
    currency = Currency(load_default=None, allow_none=True)
    min_price = Money(load_default=None, allow_none=True)
    max_price = Money(load_default=None, allow_none=True)
    in_stock = Boolean(load_default=None, allow_none=True)
    sort = Choice(Sort, load_default=None, allow_none=True)


class GetProduct(Request):
    """get: one product."""

    product_id = Id(required=True)


class GetProducts(Request):
    """get_many: products by their ids or by their SKUs."""

    ids = List(Id(), max=MAX_IDS)
    skus = List(Sku(), max=MAX_IDS)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either ids or skus.", "ids")


class ProductFields(Request):
    """What a product may be given."""

    sku = Sku()
    name = SingleLine(max=200)
    description = Text(max=5000, min=0)
    price = Money()
    currency = CurrencyInUse()
    category_id = Id(allow_none=True)
    images = List(Url(max=500), max=20)
    attributes = Attributes()
    tax_class = TaxClass()


class CreateProduct(ProductFields):
    """create: a product; without `sku` and `currency` it gets a new one and the shop's own."""

    name = SingleLine(max=200, required=True)
    description = Text(max=5000, min=0, load_default="")
    price = Money(required=True)
    category_id = Id(allow_none=True, load_default=None)
    images = List(Url(max=500), max=20, load_default=list)
    attributes = Attributes(load_default=dict)
    tax_class = TaxClass(load_default=STANDARD)
    stock = Quantity(min=0, max=MAX_ON_HAND, load_default=0)
    actor = ActorField()


class UpdateProduct(ProductFields):
    """update: the fields that are given, if the product is at `version`."""

    product_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteProduct(GetProduct):
    """delete: a product, if it is at `version`."""

    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class GetCategory(Request):
    """get_category: one category."""

    category_id = Id(required=True)


class CategoryFields(Request):
    """What a category may be given."""

    name = SingleLine(max=100)
    slug = Slug()
    description = Text(max=2000, min=0)
    parent_id = Id(allow_none=True)


class CreateCategory(CategoryFields):
    """create_category: without `slug` one is made from its name."""

    name = SingleLine(max=100, required=True)
    description = Text(max=2000, min=0, load_default="")
    parent_id = Id(allow_none=True, load_default=None)
    actor = ActorField()


class UpdateCategory(CategoryFields):
    """update_category: the fields that are given, if the category is at `version`."""

    category_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteCategory(GetCategory):
    """delete_category: a category, if it is at `version`."""

    version = Id(load_default=None, allow_none=True)
    actor = ActorField()
