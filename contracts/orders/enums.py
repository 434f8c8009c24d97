"""The words of orders."""

from enum import StrEnum


class Status(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class FulfilmentState(StrEnum):
    """Where a parcel of an order stands."""

    #: Its units are taken; it has not left.
    PACKING = "packing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    #: It never left; its units can be packed again.
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
    #: What was still to be shipped will not be.
    ITEMS_CANCELLED = "items_cancelled"


class RefundReason(StrEnum):
    """Why money goes back."""

    ORDER_CANCELLED = "order_cancelled"
    PAID_TWICE = "paid_twice"
    AMOUNT_MISMATCH = "amount_mismatch"
    UNKNOWN_ORDER = "unknown_order"
    CANCEL_ITEMS = "cancel_items"
    RETURN = "return"


class ZeroRate(StrEnum):
    """Why a tax rate is zero (EN 16931, categories Z, E, G and AE)."""

    ZERO_RATED = "zero_rated"
    EXEMPT = "exempt"
    EXPORT = "export"
    REVERSE_CHARGE = "reverse_charge"


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


class CheckoutReason(StrEnum):
    """What a checkout that is `paying` waits for. Of others it is the code of what went wrong."""

    #: Nobody knows yet what becomes of its payment.
    OUTCOME_UNKNOWN = "outcome_unknown"
    #: Its money has come, or it costs nothing.
    ORDER_NOT_FINISHED = "order_not_finished"


class TimelineKind(StrEnum):
    """What an entry in the timeline of an order is about."""

    ORDER = "order"
    STOCK = "stock"
    PAYMENT = "payment"
    MAIL = "mail"


class TimelineCause(StrEnum):
    """What an entry in the timeline tells, where it is no step of the order, which is a `Cause`."""

    ADDRESS_CHANGED = "address_changed"
    HIDDEN = "hidden"
    FULFILMENT_PACKED = "fulfilment_packed"
    FULFILMENT_SHIPPED = "fulfilment_shipped"
    FULFILMENT_DELIVERED = "fulfilment_delivered"
    FULFILMENT_CANCELLED = "fulfilment_cancelled"
    UNITS_CANCELLED = "units_cancelled"
    PAYMENT_LOOKED_UP = "payment_looked_up_by_staff"
    STOCK_RESERVED = "reserved"
    STOCK_COMMITTED = "committed"
    STOCK_RELEASED = "release_requested"
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_CANCELLED = "payment_cancelled"
    PAYMENT_REFUNDED = "payment_refunded"
    REFUND_DUE = "refund_due"
    REFUND_FAILED = "refund_failed"
    NOTIFICATION_SENT = "notification_sent"
