"""Money of one payment that goes back for several causes."""

import uuid
from decimal import Decimal

import pytest

from chassis.errors import Conflict
from chassis.fields import Id, Money, Request, String
from chassis.rpc import rpc
from orders.order import queries
from orders.payment.refunds import Payment, request_refund
from orders.service import OrdersService
from payments.errors import ProviderTimeout
from payments.providers.port import RefundReport
from payments.providers.simulator import Simulator
from shop.verify import money, orders
from shop.verify.books import Books
from tests.integration.events import publish
from tests.integration.orders.world import STAFF


class AskBack(Request):
    order_id = String(max=36, required=True)
    cause = String(max=100, required=True)
    amount = Money(load_default=None, allow_none=True)
    times = Id(load_default=1)


class Asking(OrdersService):
    """Asks for money of an order as who cancels items of it, and who takes back parcels, would."""

    db = OrdersService.db  # for `start`, which empties it

    @rpc(AskBack)
    def ask_back(self, order_id, cause, amount, times):
        with self.db.begin() as session:
            payment = Payment.of_order(queries.lock(session, uuid.UUID(order_id)))
            for _ in range(times):
                due = request_refund(self, session, payment, cause, amount)
        return str(due)


@pytest.fixture
def orders_service():
    return Asking


@pytest.fixture
def paid(place, pay, product):
    """An order of 38.83 that was paid."""
    order = place((product("38.83"), 1))
    pay(order)
    return order


@pytest.fixture
def ask(call, paid):
    """`ask("return:1:1", "10.88")`: how much of it is asked back."""

    def ask_back(cause, amount=None, **more):
        request = {"order_id": paid["id"], "cause": cause, "amount": amount} | more
        return call.orders.ask_back(**request)

    return ask_back


@pytest.fixture
def refunded(call, paid):
    """What has gone back of it, by the books of payments."""

    def look():
        (payment,) = call.payments.list(order_id=paid["id"])["items"]
        return payment["refunded"]

    return look


@pytest.fixture
def give_by_hand(call, paid):
    """`give_by_hand("5.00")`: staff give money back."""

    def give(amount):
        (payment,) = call.payments.list(order_id=paid["id"])["items"]
        call.payments.refund(payment_id=payment["id"], amount=amount, reason="late", actor=STAFF)

    return give


@pytest.fixture
def by_hand_is_known(sql, eventually):
    """`by_hand_is_known("5.00")`: orders has heard of it."""
    known = "SELECT by_hand FROM receipts"
    return lambda amount: eventually(lambda: [{"by_hand": Decimal(amount)}] == sql("orders", known))


@pytest.fixture
def wrong(config):
    """`wrong(money.unanswered)`: what the verification finds, in words."""

    def look(find):
        with Books(config) as books:
            return [violation.detail for violation in find(books)]

    return look


@pytest.fixture
def refuse(ask, monkeypatch, sql, eventually):
    """`refuse("return:1:1", "10.00")`: asks for money that the provider does not give back."""

    def refused(self, request):
        return RefundReport(done=False, failure_code="refused")

    def ask_in_vain(cause, amount):
        with monkeypatch.context() as patch:
            patch.setattr(Simulator, "refund", refused)
            ask(cause, amount)
            failed = "SELECT 1 FROM refunds WHERE status = 'failed'"
            assert eventually(lambda: sql("payments", failed))

    return ask_in_vain


def test_each_cause_gets_its_amount(ask, refunded, state, paid, told, sql, eventually):
    """Once, however often it is asked for; payments knows each by its request."""
    assert [ask("return:1:1", "10.88", times=3), ask("return:1:2", "10.87")] == ["10.88", "10.87"]
    assert ask("return:1:1", "30.00") == "10.88"
    eventually(lambda: refunded() == "21.75")
    assert eventually(lambda: state(paid) == ("processing", "partially_refunded"))
    assert ask("cancel_items:7", "17.08") == "17.08"
    assert eventually(lambda: state(paid) == ("processing", "refunded"))
    due = [facts for event, facts in told(paid) if event == "refund_due"]
    assert [facts["reason"] for facts in due] == ["return", "return", "cancel_items"]
    refunds = {row["key"]: row["amount"] for row in sql("payments", "SELECT * FROM refunds")}
    asked = sql("orders", "SELECT * FROM refund_requests")
    assert refunds == {f"request-{row['id']}": row["amount"] for row in asked}


def test_never_more_than_was_paid(ask, refunded, sql, eventually):
    """The last cause gets what is left, the one after it nothing."""
    answers = [ask(f"return:{one}:1", "15.00") for one in range(4)]
    assert list(map(Decimal, answers)) == list(map(Decimal, ("15.00", "15.00", "8.83", "0")))
    assert eventually(lambda: refunded() == "38.83")
    due = sql("orders", "SELECT 1 FROM outbox WHERE type = 'refund_due'")
    assert len(due) == 3


def test_at_once(ask, refunded, together, sql, eventually):
    """Twelve causes at the same time, each twice: together what was paid."""
    causes = [f"return:{one}:1" for one in range(12)] * 2
    answers = together(*(lambda cause=cause: ask(cause, "10.00") for cause in causes))
    assert sum(map(Decimal, answers)) == 2 * Decimal("38.83")
    assert eventually(lambda: refunded() == "38.83")
    assert len(sql("payments", "SELECT 1 FROM refunds")) == 4


def test_what_staff_gave_back_counts(ask, give_by_hand, by_hand_is_known, refunded, eventually):
    """5.00 by hand, then all: 33.83 are left of 38.83."""
    give_by_hand("5.00")
    by_hand_is_known("5.00")
    assert ask("return:1:1", "38.83") == "33.83"
    assert eventually(lambda: refunded() == "38.83")


def test_what_staff_gave_back_before_we_heard_of_it_counts(
    call, give_by_hand, refunded, state, paid, before, eventually, buyer
):
    """The order asks for all, and payments gives back what is left."""
    from orders.payment import refunds

    before(refunds, "request_refund", lambda: give_by_hand("5.00"))
    call.orders.cancel(order_id=paid["id"], actor=buyer)
    assert eventually(lambda: refunded() == "38.83")
    assert eventually(lambda: state(paid) == ("cancelled", "refunded"))


def test_cancelled_after_a_part_went_back(ask, call, paid, buyer, told, refunded, eventually):
    """Its buyer gets the rest, and no cent twice, though the part is still on its way."""
    ask("cancel_items:1", "21.75")
    call.orders.cancel(order_id=paid["id"], actor=buyer)
    due = [facts["amount"] for event, facts in told(paid) if event == "refund_due"]
    assert due == ["21.75", "17.08"]
    assert eventually(lambda: refunded() == "38.83")


def test_the_provider_is_down(ask, refunded, monkeypatch, clock, sql, give_by_hand, eventually):
    """Each goes back once when it is there again; meanwhile staff can't give the same money."""

    def away(self, request):
        raise ProviderTimeout

    pending = "SELECT amount FROM refunds WHERE status = 'pending'"
    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "refund", away)
        ask("return:1:1", "20.00")
        ask("return:1:2", "10.88")
        assert ask("return:1:3", "20.00") == "7.95"
        eventually(lambda: len(sql("payments", pending)) == 3)
        with pytest.raises(Conflict) as refused:
            give_by_hand("0.01")
        assert refused.value.code == "not_refundable"
        assert refunded() == "0.00"
    clock.advance(minutes=5)
    assert eventually(lambda: refunded() == "38.83")
    assert len(sql("payments", "SELECT 1 FROM simulator_refunds")) == 3


def test_a_request_of_the_release_before_is_paid(config, paid, refunded, call, eventually):
    """It may be in a queue while the shop is upgraded, and has no id."""
    (payment,) = call.payments.list(order_id=paid["id"])["items"]
    facts = {"order_id": paid["id"], "payment_id": payment["id"], "amount": "10.00"}
    facts |= {"currency": "EUR", "reason": "order_cancelled"}
    event = str(uuid.uuid4())
    for _ in range(2):
        publish(config["AMQP_URI"], "orders", "refund_due", facts, event)
    assert eventually(lambda: refunded() == "10.00")


def test_two_equal_amounts_are_told_apart(ask, refunded, wrong, eventually):
    """Each with its request: no entry of the timeline is there twice."""
    ask("cancel_items:1", "10.00")
    ask("cancel_items:2", "10.00")
    assert eventually(lambda: refunded() == "20.00")
    assert wrong(orders.histories) == []


def test_verify_finds_what_the_provider_refused(refuse, give_by_hand, wrong, refunded, eventually):
    """Until it went back by hand."""
    give_by_hand("12.00")
    refuse("cancel_items:1", "10.00")
    assert wrong(money.unanswered) == ["10.00 is kept: refused by the provider"]
    give_by_hand("4.00")
    assert wrong(money.unanswered) == ["6.00 is kept: refused by the provider"]
    give_by_hand("6.00")
    assert wrong(money.unanswered) == []


def test_what_the_provider_refused_is_asked_for_again(
    refuse, give_by_hand, by_hand_is_known, call, paid, buyer, told, sql, refunded, wrong,
    eventually,
):  # fmt: skip
    """10.00 were refused and then given by hand: whoever cancels the rest gets all of it."""
    refuse("cancel_items:1", "10.00")
    known = "SELECT 1 FROM refund_requests WHERE failed_at IS NOT NULL"
    assert eventually(lambda: sql("orders", known))
    give_by_hand("10.00")
    by_hand_is_known("10.00")
    call.orders.cancel(order_id=paid["id"], actor=buyer)
    due = [facts["amount"] for event, facts in told(paid) if event == "refund_due"]
    assert due == ["10.00", "28.83"]
    assert eventually(lambda: refunded() == "38.83")
    assert wrong(money.unanswered) == []


def test_a_refusal_is_noted_once(refuse, config, paid, sql, eventually):
    """Told twice, or for a request that is not known, it changes nothing more."""
    refuse("cancel_items:1", "10.00")
    look = "SELECT requested FROM receipts"
    assert eventually(lambda: sql("orders", look) == [{"requested": Decimal("0.00")}])
    (told,) = sql("payments", "SELECT payload FROM outbox WHERE type = 'refund_failed'")
    unknown = told["payload"] | {"request_id": str(uuid.uuid4())}
    for facts in (told["payload"], unknown):
        publish(config["AMQP_URI"], "payments", "refund_failed", facts, str(uuid.uuid4()))
    heard = "SELECT 1 FROM inbox WHERE handler = 'orders.on_refund_failed'"
    assert eventually(lambda: len(sql("orders", heard)) == 3)
    assert sql("orders", look) == [{"requested": Decimal("0.00")}]
    assert len(sql("orders", "SELECT 1 FROM timeline WHERE cause = 'refund_failed'")) == 1
