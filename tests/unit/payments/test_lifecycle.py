"""Which news change a payment."""

from decimal import Decimal

import pytest

from contracts.payments.enums import Status
from payments.charges.lifecycle import advances, is_whole
from payments.providers.port import ChargeReport
from payments.refunds.lifecycle import after_refund

CHANGES = {
    ("pending", "requires_action"),
    ("pending", "succeeded"),
    ("pending", "failed"),
    ("requires_action", "succeeded"),
    ("requires_action", "failed"),
    ("failed", "succeeded"),
}


@pytest.mark.parametrize("current", list(Status))
@pytest.mark.parametrize("reported", ["requires_action", "succeeded", "failed"])
def test_only_these_reports_change_these_states(current, reported):
    """Money that was taken is always booked; nothing undoes it, and repeats change nothing."""
    assert advances(current, reported) == ((current, reported) in CHANGES)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (ChargeReport("succeeded", Decimal("10.00"), "EUR"), True),
        (ChargeReport("succeeded", Decimal("10"), "EUR"), True),
        (ChargeReport("succeeded", Decimal("9.99"), "EUR"), False),
        (ChargeReport("succeeded", Decimal("10.01"), "EUR"), False),
        (ChargeReport("succeeded", Decimal("10.00"), "USD"), False),
        (ChargeReport("requires_action", Decimal("10.00"), "EUR"), False),
        (ChargeReport("failed", Decimal("10.00"), "EUR"), False),
    ],
)
def test_a_payment_is_whole_when_exactly_that_was_taken(report, expected):
    """Less, more, another currency and money that has not come are decided otherwise."""
    assert is_whole(Decimal("10.00"), "EUR", report) is expected


@pytest.mark.parametrize(
    ("refunded", "status"),
    [("0.00", "succeeded"), ("0.01", "partially_refunded"), ("10.00", "refunded")],
)
def test_a_payment_is_refunded_when_all_is_given_back(refunded, status):
    """One cent left is a partial refund."""
    assert after_refund(Decimal("10.00"), Decimal(refunded)) == status
