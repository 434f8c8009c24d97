"""Errors of catalog and inventory.

chassis.errors.Fault
 ├── NotFound
 │    ├── ProductNotFound      404  no such product, or it was deleted
 │    ├── CategoryNotFound     404  no such category
 │    └── ReservationNotFound  404  this order has never reserved anything
 └── Conflict
      ├── AlreadyExists        409  the SKU or slug is taken; `data["field"]` says which
      ├── CategoryInUse        409  products or categories hang on it
      ├── TooManyCategories    409  the tree is full
      ├── OutOfStock           409  `data["lines"]`: every short line, with what is left
      ├── StockReserved        409  the stock can't go below what orders hold
      ├── ReservationConflict  409  the order reserved other lines before
      └── ReservationReleased  409  the order gave its stock back, or was cancelled first
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


class ReservationNotFound(NotFound):
    """The order has never reserved anything."""

    code = "reservation_not_found"
    title = "This order has not reserved anything"


class AlreadyExists(Conflict):
    """A SKU or slug is taken; deleted products keep theirs."""

    code = "already_exists"
    title = "There is one with this value already"


class CategoryInUse(Conflict):
    """Products or categories hang on the category: move them first."""

    code = "category_in_use"
    title = "Products or categories hang on this category"


class TooManyCategories(Conflict):
    """The tree is full."""

    code = "too_many_categories"
    title = "There are as many categories as there can be"


class OutOfStock(Conflict):
    """`data["lines"]` names every short line: `{product_id, requested, available}`."""

    code = "out_of_stock"
    title = "There is not enough in stock"


class StockReserved(Conflict):
    """Orders hold more than would be left; `data` has `on_hand` and `reserved`."""

    code = "stock_reserved"
    title = "Orders hold more than would be left"


class ReservationConflict(Conflict):
    """The same order came with other lines."""

    code = "reservation_conflict"
    title = "This order reserved other lines before"


class ReservationReleased(Conflict):
    """The order gave its stock back, or was cancelled before it asked for any."""

    code = "reservation_released"
    title = "This order's reservation was released"
