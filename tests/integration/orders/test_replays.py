"""Old requests that come again while something newer is under way."""

import pytest

from tests.integration.orders.world import STAFF


@pytest.mark.parametrize("who", ["buyer", "staff", "expiry"])
def test_the_repeat_of_a_declined_payment_hides_none_that_waits(
    place, pay, product, call, buyer, sql, clock, eventually, who
):
    """The waiting one still goes with its order."""
    order = place((product(), 1))
    assert pay(order, "tok_declined", key="first")["status"] == "failed"
    assert pay(order, "tok_3ds")["status"] == "requires_action"
    assert pay(order, "tok_declined", key="first")["replayed"]
    if who == "expiry":
        clock.advance(seconds=70)
        sql("orders", "UPDATE orders SET expires_at = created_at")
    else:
        call.orders.cancel(order_id=order["id"], actor=buyer if who == "buyer" else STAFF)
    newest = lambda: call.payments.list(order_id=order["id"])["items"][0]  # noqa: E731
    assert eventually(lambda: newest()["failure_code"] == "order_cancelled", timeout=10)
