"""The words of payments."""

from enum import StrEnum


class Status(StrEnum):
    """What the owner of a payment sees of it."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


#: Not decided yet: money may still come, or not.
OPEN = (Status.PENDING, Status.REQUIRES_ACTION)
#: The whole amount was taken, whatever has gone back since.
CAPTURED = (Status.SUCCEEDED, Status.PARTIALLY_REFUNDED, Status.REFUNDED)


class ProviderName(StrEnum):
    """The payment providers that the shop knows."""

    STRIPE = "stripe"
    #: Built in; moves no money.
    SIMULATOR = "simulator"


class MethodType(StrEnum):
    """How a buyer pays."""

    #: By a token that the provider has given out for a card.
    CARD = "card"
    #: On the provider's own page.
    CHECKOUT = "checkout"


class RefundStatus(StrEnum):
    """What has become of money that goes back."""

    #: The provider has not confirmed it yet.
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class FailureCode(StrEnum):
    """Why a payment has failed, or is cancelled. Providers have more words for it."""

    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    AUTHENTICATION_EXPIRED = "authentication_expired"
    PAGE_EXPIRED = "page_expired"
    #: Its provider knows nothing of it.
    NOT_RECEIVED = "not_received"
    #: Less came than was asked for; it goes back at once.
    PARTIAL_CAPTURE = "partial_capture"
    #: Another one has taken its place, so its late money goes back at once.
    PAID_TWICE = "paid_twice"
    #: Cancelled: its buyer has taken another means.
    REPLACED = "replaced"
    #: Cancelled: there is nothing to pay for any more.
    ORDER_CANCELLED = "order_cancelled"


class Problem(StrEnum):
    """What may be wrong between our ledger and a provider's books."""

    CHARGE_UNKNOWN = "charge_unknown"
    CHARGE_NOT_BOOKED = "charge_not_booked"
    CHARGE_MISSING = "charge_missing"
    REFUND_NOT_BOOKED = "refund_not_booked"
    REFUND_MISSING = "refund_missing"
    DISPUTE_NOT_BOOKED = "dispute_not_booked"
    DISPUTE_MISSING = "dispute_missing"
    AMOUNT_DIFFERS = "amount_differs"
    PAYMENT_PENDING = "payment_pending"
    REFUND_PENDING = "refund_pending"
    NOT_COMPARED = "not_compared"
