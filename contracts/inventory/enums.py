"""The words of inventory."""

from enum import StrEnum


class ReservationState(StrEnum):
    """What has become of the stock that an order reserved."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


class MovementKind(StrEnum):
    """Why a product's counters moved."""

    INITIAL = "initial"  # the stock that a product came with
    ADJUST = "adjust"  # someone counted, bought or threw away
    RESERVE = "reserve"  # promised to an order
    EXPIRE = "expire"  # the order's time was over
    RELEASE = "release"  # the order was cancelled before it was paid
    COMMIT = "commit"  # the order was paid: gone
    RESTOCK = "restock"  # a paid order was cancelled: back on the shelf
