"""Errors of the inventory service; `contracts.products.errors.VariantNotFound` is another.

chassis.errors.Fault
 ├── NotFound
 │    ├── ReservationNotFound  404  this order has never reserved anything
 │    ├── LocationNotFound     404  there is no such location
 │    └── TransferNotFound     404  there is no such transfer
 └── Conflict
      ├── LocationExists       409  the code is taken
      ├── TooManyLocations     409  the shop has as many as it can have
      ├── TransferClosed       409  the transfer has arrived, or was cancelled
      ├── NotOnTheWay          409  more has arrived than is on the way; `data["lines"]`
      ├── NotHeld              409  the order holds fewer at that location; `data["lines"]`
      ├── OutOfStock           409  `data["lines"]`: every short line, with what is left
      ├── StockReserved        409  a location has no more than that to give
      ├── ReservationConflict  409  the order reserved other lines before
      └── ReservationReleased  409  the order gave its stock back, or was cancelled first
"""

from chassis.errors import Conflict, NotFound


class ReservationNotFound(NotFound):
    """The order has never reserved anything."""

    code = "reservation_not_found"
    title = "This order has not reserved anything"


class OutOfStock(Conflict):
    """`data["lines"]` names every short line: `{variant_id, product_id, requested, available}`;
    `product_id` is null when there is no such variant."""

    code = "out_of_stock"
    title = "Not enough in stock"


class StockReserved(Conflict):
    """Less would be left at the location than nothing, or than orders hold; `data` has `location`,
    `on_hand` and `reserved`."""

    code = "stock_reserved"
    title = "The location has not so much to give"


class ReservationConflict(Conflict):
    """The same order came with other lines."""

    code = "reservation_conflict"
    title = "This order reserved other lines before"


class ReservationReleased(Conflict):
    """The order gave its stock back for good, or was cancelled before it asked for any."""

    code = "reservation_released"
    title = "This order's reservation was released"


class LocationNotFound(NotFound):
    """There is no location of this code."""

    code = "location_not_found"
    title = "There is no such location"


class TransferNotFound(NotFound):
    """There is no such transfer."""

    code = "transfer_not_found"
    title = "There is no such transfer"


class LocationExists(Conflict):
    """A location has this code already."""

    code = "location_exists"
    title = "There is a location of this code"


class TooManyLocations(Conflict):
    """The shop has as many locations as it can have."""

    code = "too_many_locations"
    title = "There are too many locations"


class TransferClosed(Conflict):
    """All of it has arrived, or it was cancelled; `data["state"]`."""

    code = "transfer_closed"
    title = "This transfer is over"


class NotOnTheWay(Conflict):
    """More was received than is on the way: `data["lines"]` names each variant, `{variant_id,
    requested, on_the_way}`."""

    code = "not_on_the_way"
    title = "Not so much is on the way"


class NotHeld(Conflict):
    """The order holds fewer units there: `data["lines"]` names each, `{variant_id, product_id,
    location, requested, held}`; `product_id` is null when there is no such variant."""

    code = "not_held"
    title = "The order holds fewer units there"
