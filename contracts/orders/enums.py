"""The words of orders."""

from enum import StrEnum


class Status(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """What has become of an order's money."""

    UNPAID = "unpaid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class Cause(StrEnum):
    """Why an order came to be, or changed its state."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    BY_CUSTOMER = "cancelled_by_customer"
    BY_STAFF = "cancelled_by_staff"
    EXPIRED = "expired"
    OUT_OF_STOCK = "out_of_stock"


class RefundReason(StrEnum):
    """Why money goes back."""

    ORDER_CANCELLED = "order_cancelled"
    PAID_TWICE = "paid_twice"
    AMOUNT_MISMATCH = "amount_mismatch"
    UNKNOWN_ORDER = "unknown_order"


class CheckoutState(StrEnum):
    """Where a checkout that is under way stands."""

    #: Stock may be reserved, and an order be made.
    OPEN = "open"
    #: No order will be made; what is reserved is given back.
    UNDOING = "undoing"
    #: Its order waits for the end of a payment.
    PAYING = "paying"


#: Asks for the checkouts that have taken too long, in whichever state.
STUCK = "stuck"
#: Nothing is under way, be it finished, undone or never begun.
OVER = "over"


class TimelineKind(StrEnum):
    """What an entry in the timeline of an order is about."""

    ORDER = "order"
    STOCK = "stock"
    PAYMENT = "payment"
    MAIL = "mail"
