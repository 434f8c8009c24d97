"""Variants and options of products."""

from chassis.fields import Request
from contracts.products import requests
from gateway.schemas.common import NumberInText
from gateway.schemas.derive import body

NewVariant = requests.NewVariant
VariantChange = body(
    "VariantChange",
    requests.UpdateVariant,
    "PATCH: what is given changes. A `price` of null is that of the product.",
    without=("variant_id", "version", "actor"),
)
OptionChange = body(
    "OptionChange",
    requests.UpdateOption,
    "PATCH: `values` are all of them, in their order; one that is there keeps its `id`.",
    without=("product_id", "option_id", "version", "actor"),
)


class OptionPath(Request):
    product_id = NumberInText(required=True)
    option_id = NumberInText(required=True)
