"""Orders beside processes of the release before, as while an upgrade goes on."""

import datetime

import pytest
from marshmallow import ValidationError

from chassis.errors import Conflict
from chassis.fields import ActorField
from chassis.identity import Actor
from chassis.rpc import rpc
from chassis.serialization import dumps
from contracts.payments import answers, requests
from orders.checkout import commands as checkout_commands
from payments.service import PaymentsService
from tests.integration.orders.world import ADDRESS, STAFF, crash


class EarlierActor(ActorField):
    """Whoever said nothing was the system, which had no name."""

    def __init__(self):
        super().__init__()
        self.required, self.allow_none, self.load_default = False, True, Actor.SYSTEM

    def _deserialize(self, value, attr, data, **kwargs):
        if value == "system":
            raise ValidationError("Not an actor.")
        return super()._deserialize(value, attr, data, **kwargs)


class EarlierCharge(requests.Charge):
    """Without the number of the order."""

    class Meta(requests.Charge.Meta):
        exclude = ("order_number",)


class EarlierList(requests.ListPayments):
    actor = EarlierActor()


class EarlierPayments(PaymentsService):
    """What orders asks of payments, as it was before."""

    db = PaymentsService.db  # for `start`, which empties it
    cancel = None

    @rpc(EarlierCharge, answers.Payment)
    def charge(self, **request):
        return super().charge(order_number=None, **request)

    @rpc(EarlierList, answers.PaymentPage)
    def list(self, **request):
        return super().list(**request)


@pytest.fixture
def payments_service():
    return EarlierPayments


def test_a_checkout_that_the_release_before_began_is_finished(
    place, product, at, sql, stock, clock
):
    """Its row has names and prices; it is counted, and its repeat makes the order."""
    kettle = product("19.99", stock=30)
    at(checkout_commands.ENTERED, crash)
    with pytest.raises(Exception, match="internal"):
        place((kettle, 15), key="again")
    basket = {
        "lines": [[kettle, "Kettle", 15, "19.99"]], "currency": "EUR",
        "shipping_address": ADDRESS, "expires_at": clock() + datetime.timedelta(minutes=30),
        "cart_version": None,
    }  # fmt: skip
    basket = dumps(basket).decode()
    sql("orders", "UPDATE checkouts SET basket = CAST(:basket AS jsonb)", basket=basket)
    with pytest.raises(Conflict) as refused:
        place((kettle, 6))
    assert refused.value.data["lines"][0]["unpaid"] == 15
    order = place((kettle, 15), key="again")
    assert (order["total"], order["replayed"]) == ("299.85", True)
    assert stock(kettle) == (30, 15)


def test_an_order_is_paid_without_its_number(place, pay, product, state, sql):
    """And charged once."""
    order = place((product(), 1))
    assert pay(order)["status"] == "succeeded"
    assert state(order) == ("processing", "paid")
    assert sql("payments", "SELECT order_number FROM payments") == [{"order_number": None}]


def test_a_means_that_is_refused_is_refused_all_the_same(place, pay, product, sql):
    """By the second answer as by the first."""
    with pytest.raises(Exception, match="invalid") as refused:
        pay(place((product(), 1)), "4242 4242 4242 4242")
    assert set(refused.value.errors) == {"method"}
    assert sql("payments", "SELECT * FROM payments") == []


def test_a_repeat_finds_the_payment(place, pay, product, clock):
    """Also when the time to pay is over, and it is looked for by its key."""
    order = place((product(), 1))
    waiting = pay(order, "tok_declined", key="k")
    clock.advance(minutes=31)
    assert pay(order, "tok_declined", key="k")["id"] == waiting["id"]


def test_a_cancelled_order_waits_for_the_new_release_to_stop_its_payment(
    place, pay, product, call, buyer, state
):
    """Cancelling succeeds, and who looks after it fails with nobody: the call is not there yet."""
    order = place((product(), 1))
    pay(order, "tok_3ds")
    assert call.orders.cancel(order_id=order["id"], actor=buyer)["status"] == "cancelled"
    looked_after = call.orders.retry_checkout(order_id=order["id"], actor=STAFF)
    assert (looked_after["state"], looked_after["order_status"]) == ("paying", "cancelled")
