"""Errors of the products service.

chassis.errors.Fault
 ├── NotFound
 │    ├── ProductNotFound   404  no such product, or it was deleted
 │    └── CategoryNotFound  404  no such category
 └── Conflict
      ├── AlreadyExists     409  the SKU or slug is taken; `data["field"]` says which
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


class AlreadyExists(Conflict):
    """A SKU or slug is taken; deleted products keep theirs."""

    code = "already_exists"
    title = "There is one with this value already"


class CategoryInUse(Conflict):
    """The category has products, or categories below it: move them first."""

    code = "category_in_use"
    title = "Products or categories hang on this category"


class TooManyCategories(Conflict):
    """The tree is full."""

    code = "too_many_categories"
    title = "There are as many categories as there can be"
