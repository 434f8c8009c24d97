"""The catalog and its stock."""

from chassis.fields import Id, Request, page_of
from contracts.inventory import requests as stock_requests
from contracts.products import requests
from contracts.products.answers import Category
from gateway.schemas.common import NumberInText
from gateway.schemas.derive import body, query

ProductQuery = query(
    "ProductQuery", requests.ListProducts, "`category` stands for its descendants too."
)
ProductChange = body(
    "ProductChange",
    requests.UpdateProduct,
    "PATCH: what is given changes.",
    without=("product_id", "version", "actor"),
)
WholeProduct = body(
    "WholeProduct",
    requests.CreateProduct,
    "PUT: what is not given is emptied; SKU and currency stay.",
    without=("stock", "options", "variants", "actor"),
    category_id=Id(allow_none=True, load_default=None),
)
NewProduct = body(
    "NewProduct",
    requests.CreateProduct,
    "POST: `stock` is what is on hand at first; with `variants`, each has its own.",
    without=("actor",),
    category_id=Id(allow_none=True, load_default=None),
)
WholeCategory = body(
    "WholeCategory",
    requests.CreateCategory,
    "POST and PUT; without `slug` one is made from the name, or stays.",
    without=("actor",),
    parent_id=Id(allow_none=True, load_default=None),
)
Adjustment = body(
    "Adjustment",
    stock_requests.Adjust,
    "Either `delta` (so many more or fewer) or `on_hand` (so many are there), and why.",
    without=("variant_id", "location", "version", "actor"),
)
Check = body("Check", stock_requests.Check, "Variants or products, and how many of each.")

CategoryPage = page_of(Category)


class CategoryPath(Request):
    category_id = NumberInText(required=True)
