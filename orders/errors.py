"""Errors of others that orders tells apart."""

from chassis.errors import Conflict


class OutOfStock(Conflict):
    """`data["lines"]`: [{product_id, requested, available}], all that are short."""

    code = "out_of_stock"
    title = "Not enough in stock"


class ReservationReleased(Conflict):
    """The reservation was given back for good, so nothing can be built on it."""

    code = "reservation_released"
    title = "The reservation was given back"
