"""Errors of the inventory service; `contracts.products.errors.VariantNotFound` is another.

chassis.errors.Fault
 ├── NotFound
 │    └── ReservationNotFound  404  this order has never reserved anything
 └── Conflict
      ├── OutOfStock           409  `data["lines"]`: every short line, with what is left
      ├── StockReserved        409  the stock can't go below what orders hold
      ├── ReservationConflict  409  the order reserved other lines before
      └── ReservationReleased  409  the order gave its stock back, or was cancelled first
"""

from chassis.errors import Conflict, NotFound


class ReservationNotFound(NotFound):
    """The order has never reserved anything."""

    code = "reservation_not_found"
    title = "This order has not reserved anything"


class OutOfStock(Conflict):
    """`data["lines"]` names every short line: `{variant_id, requested, available}`."""

    code = "out_of_stock"
    title = "Not enough in stock"


class StockReserved(Conflict):
    """Orders hold more than would be left; `data` has `on_hand` and `reserved`."""

    code = "stock_reserved"
    title = "Orders hold more than would be left"


class ReservationConflict(Conflict):
    """The same order came with other lines."""

    code = "reservation_conflict"
    title = "This order reserved other lines before"


class ReservationReleased(Conflict):
    """The order gave its stock back for good, or was cancelled before it asked for any."""

    code = "reservation_released"
    title = "This order's reservation was released"
