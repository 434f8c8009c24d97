"""The table of transitions."""

import itertools
from decimal import Decimal

import pytest

from contracts.orders.enums import Cause, PaymentStatus, Status
from contracts.orders.errors import InvalidTransition
from contracts.orders.events import EVENTS
from orders.order import lifecycle
from orders.order.lifecycle import Party

EVERYBODY = set(Party)


def allowed(by, money):
    """Which steps one of `by` may take, as (source, target)."""
    steps = set()
    for source, target in itertools.product(Status, Status):
        try:
            lifecycle.step(source, money, target, by)
        except InvalidTransition:
            continue
        steps.add((source.value, target.value))
    return steps


def test_the_whole_life_of_a_paid_order():
    """Every step that there is, and no other, for an order with its money."""
    assert allowed(EVERYBODY, PaymentStatus.PAID) == {
        ("pending", "cancelled"),
        ("processing", "cancelled"),
        ("processing", "partially_shipped"),
        ("processing", "shipped"),
        ("partially_shipped", "shipped"),
        ("partially_shipped", "delivered"),
        ("shipped", "delivered"),
    }


def test_an_owner_can_only_cancel():
    """Owners cancel before shipping, and cause nothing else."""
    assert allowed({Party.OWNER}, PaymentStatus.PAID) == {
        ("pending", "cancelled"),
        ("processing", "cancelled"),
    }


def test_staff_cannot_declare_an_order_paid():
    """Only money moves an order from pending to processing."""
    assert ("pending", "processing") not in allowed(
        {Party.STAFF, Party.OWNER}, PaymentStatus.UNPAID
    )
    assert ("pending", "processing") in allowed({Party.SYSTEM}, PaymentStatus.UNPAID)


def test_only_what_was_paid_is_shipped():
    """Also when money went back: what is kept may have cost nothing."""
    for money in PaymentStatus:
        is_allowed = ("processing", "shipped") in allowed({Party.PARCELS}, money)
        assert is_allowed == (money != PaymentStatus.UNPAID)


def test_nobody_sets_how_far_the_parcels_have_come():
    """Staff send parcels; what the order is then follows."""
    assert allowed({Party.STAFF, Party.OWNER, Party.SYSTEM}, PaymentStatus.PAID) == {
        ("pending", "cancelled"),
        ("processing", "cancelled"),
    }


def test_each_step_has_the_cause_of_who_took_it():
    """The same step has another cause for its owner, for staff and for time."""
    arguments = (Status.PENDING, PaymentStatus.UNPAID, Status.CANCELLED)
    assert lifecycle.step(*arguments, {Party.OWNER}).cause == Cause.BY_CUSTOMER
    assert lifecycle.step(*arguments, {Party.STAFF}).cause == Cause.BY_STAFF
    assert lifecycle.step(*arguments, {Party.SYSTEM}, Cause.EXPIRED).cause == Cause.EXPIRED
    assert lifecycle.step(*arguments, {Party.SYSTEM}, Cause.OUT_OF_STOCK).cause == "out_of_stock"


def test_time_does_not_cancel_a_paid_order():
    """Expiry is for unpaid orders only."""
    with pytest.raises(InvalidTransition):
        lifecycle.step(
            Status.PROCESSING, PaymentStatus.PAID, Status.CANCELLED, {Party.SYSTEM}, Cause.EXPIRED
        )


def test_a_refusal_names_the_states():
    """The caller learns from where and to where it does not go."""
    with pytest.raises(InvalidTransition) as refused:
        lifecycle.step("shipped", "paid", "cancelled", EVERYBODY)
    assert refused.value.data == {
        "order_status": "shipped",
        "payment_status": "paid",
        "target": "cancelled",
    }


def test_finished_orders_lead_nowhere():
    """Only delivered and cancelled orders may be hidden."""
    assert {Status.DELIVERED, Status.CANCELLED} == lifecycle.FINISHED


def test_every_step_is_told_by_an_event_that_is_published():
    """No transition happens in silence; those by parcels are told as what became of the parcel."""
    told = {step.event for step in lifecycle.TRANSITIONS if step.by != Party.PARCELS}
    assert told < set(EVENTS)
    assert {step.event for step in lifecycle.TRANSITIONS if step.by == Party.PARCELS} == {None}


@pytest.mark.parametrize(
    ("refunded", "status"),
    [("0", "paid"), ("0.01", "partially_refunded"), ("9.98", "partially_refunded"),
     ("9.99", "refunded"), ("10", "refunded")],
)  # fmt: skip
def test_the_state_of_the_money_follows_what_went_back(refunded, status):
    """Nothing back is paid, all of it refunded, anything between partially."""
    assert lifecycle.after_refund(Decimal("9.99"), Decimal(refunded)) == status
