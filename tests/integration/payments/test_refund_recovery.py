"""A refund that is interrupted is ended by the sweep, and given once."""

import pytest

from chassis.errors import Fault
from payments.errors import ProviderTimeout
from payments.providers.simulator import Simulator
from payments.refunds import store as refund_store


def test_a_refund_whose_answer_was_lost_is_given_once(
    pay, payments, sql, clock, monkeypatch, eventually
):
    """The provider gave the money back and its answer was lost: the sweep asks under the same
    key, and it is not given twice."""
    payment, real = pay(), Simulator.refund

    def refund(self, order):
        real(self, order)
        raise ProviderTimeout

    monkeypatch.setattr(Simulator, "refund", refund)
    answer = payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
    assert (answer["status"], answer["refunded"]) == ("succeeded", "0.00")
    monkeypatch.setattr(Simulator, "refund", real)
    clock.advance(seconds=10)
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == "30.00")
    assert len(sql("SELECT 1 FROM simulator_refunds")) == 1


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_refund_that_crashed_is_given_once(
    pay, payments, sql, clock, crash_before, eventually, point
):
    """Before or after the provider gave the money back: the sweep ends it, once."""
    payment = pay()
    if point == "before":
        crash_before(Simulator, "refund")
    else:
        crash_before(refund_store, "settle")
    with pytest.raises(Exception):  # noqa: B017, PT011
        payments.refund(payment_id=payment["id"], reason="x")
    with pytest.raises(Fault):  # what is on its way is promised
        payments.refund(payment_id=payment["id"], reason="x")
    clock.advance(seconds=10)
    eventually(lambda: payments.get(payment_id=payment["id"])["status"] == "refunded")
    assert len(sql("SELECT 1 FROM simulator_refunds")) == 1
