"""What products is asked."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Currency,
    CurrencyInUse,
    Id,
    Integer,
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
    MAX_OPTION_VALUES,
    MAX_OPTIONS,
    MAX_VARIANTS,
    STANDARD,
    Attributes,
    Barcode,
    CategoryRef,
    OptionText,
    OptionValues,
    Sku,
    Slug,
    TaxClass,
    Weight,
)

#: Products or variants that one call asks for, and variants of each product.
MAX_IDS, MAX_VARIANTS_EACH = 200, 50


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


class GetVariant(Request):
    """get_variant: one variant."""

    variant_id = Id(required=True)


class GetVariants(Request):
    """get_variants: variants by their ids, deleted ones among them; or those that the products
    with these ids have, `MAX_VARIANTS_EACH` of each at most."""

    ids = List(Id(), max=MAX_IDS)
    product_ids = List(Id(), max=MAX_IDS)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either ids or product_ids.", "ids")


class VariantFields(Request):
    """What a variant may be given. Null for `price`: that of the product; and a `price` of an only
    variant without options is that of the product, too."""

    sku = Sku()
    options = OptionValues()
    price = Money(allow_none=True)
    weight_g = Weight()
    barcode = Barcode(allow_none=True)
    images = List(Url(max=500), max=20)
    position = Integer(min=1, max=MAX_VARIANTS)


class NewVariant(VariantFields):
    """A variant to be made; without `sku` it gets a new one, without `position` it is the last."""

    options = OptionValues(load_default=dict)
    stock = Quantity(min=0, max=MAX_ON_HAND, load_default=0)


class CreateVariant(NewVariant):
    """create_variant: of a product. Options and values that the product does not have yet are made
    on the way."""

    product_id = Id(required=True)
    actor = ActorField()


class UpdateVariant(VariantFields):
    """update_variant: the fields that are given, if the variant is at `version`."""

    variant_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteVariant(GetVariant):
    """delete_variant: a variant, if it is at `version`."""

    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class NewOption(Request):
    """An option and its values, in the order in which they are shown."""

    name = OptionText(required=True)
    values = List(OptionText(), required=True, min=1, max=MAX_OPTION_VALUES)


class ChangedValue(Request):
    """A value of an option; one that is there is meant by its `id`, whatever it was called."""

    id = Id()
    value = OptionText(required=True)


class UpdateOption(Request):
    """update_option: its name, and all its values in their order, if the product is at `version`.
    Variants stay those that they are."""

    product_id = Id(required=True)
    option_id = Id(required=True)
    name = OptionText()
    values = List(fields.Nested(ChangedValue), min=1, max=MAX_OPTION_VALUES)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteOption(Request):
    """delete_option: one that no variant has a value of, if the product is at `version`."""

    product_id = Id(required=True)
    option_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


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
    """create: a product; without `sku` and `currency` it gets a new one and the shop's own. Without
    `variants` it has one, with `stock`."""

    name = SingleLine(max=200, required=True)
    description = Text(max=5000, min=0, load_default="")
    price = Money(required=True)
    category_id = Id(allow_none=True, load_default=None)
    images = List(Url(max=500), max=20, load_default=list)
    attributes = Attributes(load_default=dict)
    tax_class = TaxClass(load_default=STANDARD)
    options = List(fields.Nested(NewOption), max=MAX_OPTIONS, load_default=list)
    variants = List(fields.Nested(NewVariant), min=1, max=MAX_VARIANTS)
    stock = Quantity(min=0, max=MAX_ON_HAND, load_default=0)
    actor = ActorField()

    @validates_schema
    def _stock_of_either(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("stock") and data.get("variants"):
            raise ValidationError("Give each of the variants its own.", "stock")


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
