"""Errors of the payments service.

chassis.errors.Fault
 ├── NotFound
 │    └── PaymentNotFound        404  no such payment, or someone else's
 ├── Conflict
 │    ├── PaymentActive          409  another payment of this order is under way; look at it first
 │    ├── AlreadyPaid            409  this order has been paid once, and is never charged again
 │    ├── NotRefundable          409  nothing was taken, or all of it was or is being given back
 │    └── RefundTooLarge         409  more than is left; `data["refundable"]` says how much is
 ├── Malformed
 │    └── WebhookRefused         400  a webhook that nobody we know has signed, or not now
 ├── ProviderFault
 │    ├── ProviderNotConfigured  502  this payment was made with a provider that is not set up here
 │    ├── RefundRefused          502  the provider said no; nothing was given back
 │    └── AnswerMismatch         502  the provider speaks of another amount; nothing was booked
 └── Unavailable
      └── RefundInFlight         503  an earlier refund of this payment is not settled yet
"""

from chassis.errors import Conflict, Malformed, NotFound, ProviderFault, Unavailable


class PaymentNotFound(NotFound):
    """No such payment, or someone else's."""

    code = "payment_not_found"
    title = "No such payment"


class PaymentActive(Conflict):
    """Another payment of this order is under way."""

    code = "payment_active"
    title = "A payment of this order is under way"


class AlreadyPaid(Conflict):
    """This order has been paid."""

    code = "already_paid"
    title = "This order has been paid"


class NotRefundable(Conflict):
    """Nothing was taken, or all of it was or is being given back."""

    code = "not_refundable"
    title = "There is nothing to refund"


class RefundTooLarge(Conflict):
    """More than is left; `data["refundable"]` says how much is."""

    code = "refund_too_large"
    title = "More than is left to refund"


class WebhookRefused(Malformed):
    """A webhook that nobody we know has signed, or not now."""

    code = "notice_refused"
    title = "The signature of this webhook does not hold"


class ProviderNotConfigured(ProviderFault):
    """The provider of this payment is not set up here (any more)."""

    code = "provider_not_configured"
    title = "This payment's provider is not set up here"


class RefundRefused(ProviderFault):
    """The provider refused the refund."""

    code = "refund_refused"
    title = "The payment provider refused the refund"


class AnswerMismatch(ProviderFault):
    """The provider's answer names another amount or currency than we asked for."""

    code = "provider_mismatch"
    title = "The payment provider's answer does not match the payment"


class RefundInFlight(Unavailable):
    """An earlier refund of this payment is not settled yet: try again later."""

    code = "refund_in_flight"
    title = "An earlier refund is not settled yet"
