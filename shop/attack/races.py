"""The same thing, or two that exclude each other, at the same instant."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

from shop.attack.check import Check, Outcome
from shop.attack.door import Answer, Person
from shop.attack.scene import Scene, at_once, new_key, until

#: How many begin at once.
RIVALS = 12


def _statuses(answers: list[Answer]) -> str:
    return str(dict(Counter(answer.status for answer in answers)))


def _last_unit(scene: Scene, outcome: Outcome) -> None:
    product = scene.product(stock=3)
    buyers = [scene.customer() for _ in range(RIVALS)]
    answers = at_once(buyers, lambda buyer: scene.try_order(buyer, product))
    sold = sum(answer.status == 201 for answer in answers)
    outcome.expect(sold == 3, f"3 units, {sold} orders: {_statuses(answers)}")
    stock = scene.staff.call("GET", f"/api/inventory/{product}").body
    outcome.expect(stock["available"] == 0, f"the books say {stock}")


def _one_key(scene: Scene, outcome: Outcome) -> None:
    buyer, headers = scene.customer(), {"Idempotency-Key": new_key()}
    body = scene.order_of(scene.product(), 1)
    answers = at_once(
        buyer.twins(RIVALS), lambda twin: twin.call("POST", "/api/orders", body, headers=headers)
    )
    orders = {answer.body["id"] for answer in answers if answer.status == 201}
    outcome.expect(len(orders) == 1, f"one key made {len(orders)} orders: {_statuses(answers)}")
    outcome.expect(
        all(answer.status in (201, 409) for answer in answers), f"answers {_statuses(answers)}"
    )
    listed = buyer.call("GET", "/api/orders").body["items"]
    outcome.expect(len(listed) == 1, f"the buyer has {len(listed)} orders")


def _pay_twice(scene: Scene, outcome: Outcome) -> None:
    buyer = scene.customer()
    order = scene.order(buyer, scene.product())
    answers = at_once(buyer.twins(RIVALS), lambda twin: scene.pay(twin, order))
    paid = {answer.body["id"] for answer in answers if answer.status == 201}
    outcome.expect(len(paid) <= 1, f"paid twice: {_statuses(answers)}")
    payments = buyer.call("GET", f"/api/payments?order_id={order['id']}").body["items"]
    charged = [payment for payment in payments if payment["status"] == "succeeded"]
    outcome.expect(len(charged) == 1, f"{len(charged)} charges for one order")


def _refund_twice(scene: Scene, outcome: Outcome) -> None:
    buyer = scene.customer()
    payment = scene.pay(buyer, scene.order(buyer, scene.product())).body
    path = f"/api/payments/{payment['id']}"
    paid = Decimal(payment["amount"])
    amount = str((paid * 6 / 10).quantize(paid))
    part = {"amount": amount, "reason": "damaged"}

    def refund(clerk: Person) -> Answer:
        return clerk.call("POST", f"{path}/refund", part, headers={"Idempotency-Key": new_key()})

    answers = at_once(scene.staff.twins(RIVALS), refund)
    worked = sum(answer.status in (200, 201, 202) for answer in answers)
    outcome.expect(worked == 1, f"{amount} of {paid} refunded {worked} times: {_statuses(answers)}")
    settled = scene.staff.call("GET", path).body
    outcome.expect(settled["refunded"] in ("0.00", amount), f"refunded {settled['refunded']}")


def _cancel_and_pay(scene: Scene, outcome: Outcome) -> None:
    """Whatever comes first: a cancelled order has its money back, a paid one its goods."""
    for _ in range(4):
        buyer = scene.customer()
        order = scene.order(buyer, scene.product())
        path = f"/api/orders/{order['id']}"
        payer, canceller = buyer.twins(2)
        at_once([payer, canceller], partial(_pay_or_cancel, scene, order, payer))
        outcome.expect(
            until(20, partial(_is_settled, buyer, path)), "an order is neither cancelled nor paid"
        )


def _pay_or_cancel(scene: Scene, order: dict[str, Any], payer: Person, person: Person) -> Answer:
    if person is payer:
        return scene.pay(person, order)
    return person.call("POST", f"/api/orders/{order['id']}/cancel", {"reason": "another one"})


def _is_settled(buyer: Person, path: str) -> bool:
    order = buyer.call("GET", path).body
    return (order["status"], order["payment_status"]) in {
        ("cancelled", "unpaid"),
        ("cancelled", "refunded"),
        ("processing", "paid"),
    }


def _hoard(scene: Scene, outcome: Outcome) -> None:
    product, buyer = scene.product(stock=1000), scene.customer()
    answers = at_once(buyer.twins(RIVALS), lambda twin: scene.try_order(twin, product, 100))
    held = 100 * sum(answer.status == 201 for answer in answers)
    outcome.expect(held < 1000, f"one unpaid customer holds {held} of 1000 units")


def _one_use(scene: Scene, outcome: Outcome) -> None:
    person = scene.customer()
    body = {"refresh_token": person.refresh_token}
    path = "/api/users/token/refresh"
    answers = at_once(person.twins(RIVALS), lambda twin: twin.call("POST", path, body))
    tokens = {answer.body["refresh_token"] for answer in answers if answer.status == 200}
    outcome.expect(len(tokens) == 1, f"one refresh token gave {len(tokens)} others")


CHECKS = [
    Check("races", "the last units", "never more than there are", _last_unit),
    Check("races", "one key", "one order", _one_key),
    Check("races", "two payments", "one charge", _pay_twice),
    Check("races", "two refunds", "never more than was paid", _refund_twice),
    Check("races", "cancelling and paying", "one of the two, whole", _cancel_and_pay, is_long=True),
    Check("races", "orders without payment", "a bound on what one customer holds", _hoard),
    Check("races", "one refresh token", "one session", _one_use),
]
