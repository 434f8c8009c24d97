"""Errors of the products service; `chassis.errors.AlreadyExists` (SKU, slug) is another.

chassis.errors.Fault
 ├── NotFound
 │    ├── ProductNotFound   404  no such product, or it was deleted
 │    └── CategoryNotFound  404  no such category
 └── Conflict
      ├── CategoryInUse     409  it has products, or categories below it
      └── TooManyCategories 409  the tree is full
"""

from chassis.errors import Conflict, NotFound


class ProductNotFound(NotFound):
    """No such product, or it was deleted."""

    code = "product_not_found"
    title = "There is no such product"


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
