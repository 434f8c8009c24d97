"""What other services tell: late, repeated, out of order."""

import datetime
import uuid

from orders.service import CartsService
from tests.integration.events import publish


def test_money_for_an_expired_order_goes_back_once(
    place, pay, product, state, clock, sql, call, config, told, eventually
):
    """The provider's answer comes after the order's time, and we are told of it four times."""
    order = place((product(), 1))
    payment = pay(order, "tok_timeout")
    assert payment["status"] == "pending"
    asked = "UPDATE payments SET next_check_at = created_at + :pause * interval '1 second'"
    sql("payments", asked, pause=10**6)
    clock.advance(seconds=1801)
    eventually(lambda: state(order) == ("cancelled", "unpaid"))
    sql("payments", asked, pause=0)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    news = {
        "payment_id": payment["id"],
        "order_id": order["id"],
        "user_id": order["user_id"],
        "amount": order["total"],
        "currency": "EUR",
    }
    for _ in range(3):
        publish(config["AMQP_URI"], "payments", "payment_succeeded", news)
    handled = "SELECT * FROM inbox WHERE handler = 'orders.on_payment_succeeded'"
    eventually(lambda: len(sql("orders", handled)) == 4)
    due = [facts for event, facts in told(order) if event == "refund_due"]
    assert [facts["payment_id"] for facts in due] == [payment["id"]]
    assert state(order) == ("cancelled", "refunded")


def test_a_refund_that_is_heard_of_before_its_payment(
    place, product, call, state, config, running, sql, told, eventually
):
    """Reordered news end in the same state as ordered ones."""
    order = place((product(price="10.00"), 1))
    news = {
        "payment_id": str(uuid.uuid4()),
        "order_id": order["id"],
        "user_id": order["user_id"],
        "currency": "EUR",
        "amount": "4.00",
    }
    refund = {**news, "refunded_total": "4.00", "full": False}
    publish(config["AMQP_URI"], "payments", "payment_refunded", refund)
    eventually(lambda: sql("orders", "SELECT * FROM receipts"))
    assert state(order) == ("pending", "unpaid")
    publish(config["AMQP_URI"], "payments", "payment_succeeded", {**news, "amount": "10.00"})
    assert eventually(lambda: state(order) == ("processing", "partially_refunded"))


def test_the_same_money_told_at_once_goes_back_once(running, config, sql, eventually):
    """Five tellings of a payment for no order, before anything of it has gone back."""
    news = {
        "payment_id": str(uuid.uuid4()),
        "order_id": str(uuid.uuid4()),
        "user_id": str(uuid.uuid4()),
        "amount": "10.00",
        "currency": "EUR",
    }
    for _ in range(5):
        publish(config["AMQP_URI"], "payments", "payment_succeeded", news)
    handled = "SELECT * FROM inbox WHERE handler = 'orders.on_payment_succeeded'"
    eventually(lambda: len(sql("orders", handled)) == 5)
    due = sql("orders", "SELECT payload FROM outbox WHERE type = 'refund_due'")
    assert [row["payload"]["payment_id"] for row in due] == [news["payment_id"]]


def test_a_late_failure_changes_nothing_but_the_timeline(
    place, pay, product, config, state, call, eventually
):
    """News of a failed payment after a successful one, repeated at that."""
    order = place((product(), 1))
    pay(order)
    news = {
        "payment_id": str(uuid.uuid4()),
        "order_id": order["id"],
        "user_id": order["user_id"],
        "amount": "10.00",
        "currency": "EUR",
        "failure_code": "card_declined",
    }
    event_id = str(uuid.uuid4())
    for _ in range(3):
        publish(config["AMQP_URI"], "payments", "payment_failed", news, event_id=event_id)

    def failures():
        entries = call.orders.timeline(order_id=order["id"])["items"]
        return [entry for entry in entries if entry["cause"] == "payment_failed"]

    eventually(failures)
    assert len(failures()) == 1
    assert state(order) == ("processing", "paid")


def test_an_account_that_its_owner_took_over_has_neither_cart_nor_unpaid_orders(
    place, pay, product, state, stock, config, call, buyer, start, eventually
):
    """What somebody else had begun ends and frees its stock, what is paid goes on, and what the
    owner does from then on stays, however late the news are."""
    kettle, lamp = product(stock=9), product(stock=9)
    paid, unpaid = place((kettle, 1)), place((kettle, 2))
    pay(paid)
    start(CartsService)
    call.carts.add_item(user_id=buyer["user_id"], product_id=kettle, quantity=1)
    taken_over = datetime.datetime.now(datetime.UTC)
    call.carts.add_item(user_id=buyer["user_id"], product_id=lamp, quantity=1)
    mine, others = place((lamp, 1)), place((lamp, 1), user_id=str(uuid.uuid4()))
    news = {"user_id": buyer["user_id"]}
    publish(config["AMQP_URI"], "users", "account_recovered", news, occurred_at=taken_over)

    eventually(lambda: state(unpaid) == ("cancelled", "unpaid"))
    eventually(lambda: stock(kettle) == (9, 1))
    assert state(paid) == ("processing", "paid")
    assert state(mine) == state(others) == ("pending", "unpaid")
    items = call.carts.get(user_id=buyer["user_id"])["items"]
    assert [item["product_id"] for item in items] == [lamp]
