"""The words of inventory."""

from enum import StrEnum


class ReservationState(StrEnum):
    """What has become of the stock that an order reserved."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class MovementKind(StrEnum):
    """Why a variant's counters moved."""

    INITIAL = "initial"  # the stock that a product came with
    ADJUST = "adjust"  # someone counted, bought or threw away
    RESERVE = "reserve"  # promised to an order
    EXPIRE = "expire"  # the order's time was over
    RELEASE = "release"  # it will not be shipped: free again
    SHIP = "ship"  # it has left in a parcel
    RETURN = "return"  # it has come back from a customer
    TRANSFER_OUT = "transfer_out"  # on its way to another location
    TRANSFER_IN = "transfer_in"  # arrived from another location, or back from a cancelled transfer
    # Of releases that took stock off the books when its order was paid:
    COMMIT = "commit"  # the order was paid: gone
    RESTOCK = "restock"  # a paid order was cancelled: back on the shelf
    REOPEN = "reopen"  # a paid order still waits to be shipped: here, and promised


class TransferState(StrEnum):
    """Whether stock is on its way between two locations."""

    SENT = "sent"
    RECEIVED = "received"
    CANCELLED = "cancelled"
