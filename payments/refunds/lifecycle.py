"""What refunds make of a payment; what charges make of it is in `payments.charges.lifecycle`."""

from decimal import Decimal

from contracts.payments.enums import Status


def after_refund(captured: Decimal, refunded: Decimal) -> Status:
    """The state of a captured payment of which `refunded` was given back."""
    if refunded == captured:
        return Status.REFUNDED
    return Status.PARTIALLY_REFUNDED if refunded else Status.SUCCEEDED
