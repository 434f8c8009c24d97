"""Buyers who want the same few things, change their minds, click twice and do not wait."""

import random
from collections.abc import Callable
from typing import Any

from shop.chaos.client import Client, new_key
from shop.chaos.journal import Journal
from shop.chaos.together import at_once

PASSWORD = "a lamp beside the door"  # noqa: S105
_ADDRESS = {"line1": "Rue 1", "city": "Lyon", "postal_code": "69001", "country": "FR"}

#: What becomes of an order, of a hundred.
_FATES = {
    "pay": 50,
    "fail then pay": 10,
    "time out": 6,
    "challenge": 2,
    "another card": 3,
    "forget": 9,
    "cancel": 6,
    "pay and cancel": 7,
    "pay twice": 7,
}
#: What becomes of a paid order, of a hundred.
_LATER = {"keep": 45, "ship": 27, "cancel": 11, "refund": 11, "refund twice": 6}

#: With fewer than this of a product there will soon be more.
SCARCE = 2

_PLACED = (201, 409, 422)  # sold out, another price, an empty cart: all part of the game
_DONE = (200, 201, 409, 422)


class Buyer:
    """One account, and staff at hand for what buyers cannot do themselves."""

    def __init__(
        self,
        client: Client,
        staff: Client,
        journal: Journal,
        chance: random.Random,
        products: list[dict[str, Any]],
        to_pack: Callable[[str], None],
    ):
        """`to_pack` has the order of that id sent."""
        self._client = client
        self._staff = staff
        self._journal = journal
        self._chance = chance
        self._products = products
        self._to_pack = to_pack

    def visit(self) -> None:
        """Buy something, or try to."""
        order = self._place()
        if order is None:
            return
        self._journal.count("orders")
        (fate,) = self._chance.choices(list(_FATES), list(_FATES.values()))
        self._journal.count(fate)
        payment = getattr(self, "_" + fate.replace(" ", "_"))(order)
        if payment and payment["status"] == "succeeded":
            self._journal.count("paid")
            (later,) = self._chance.choices(list(_LATER), list(_LATER.values()))
            getattr(self, "_" + later.replace(" ", "_"))(order, payment)

    def _place(self) -> dict[str, Any] | None:
        wanted = self._chance.sample(self._products, self._chance.choice((1, 1, 1, 2, 3)))
        lines = [(one, self._chance.choice((1, 1, 2))) for one in wanted]
        key, body = new_key(), {"shipping_address": _ADDRESS}
        if self._chance.random() < 0.3:
            for product, quantity in lines:
                item = {"product_id": product["id"], "quantity": quantity}
                self._client.call("POST", "/api/carts/add_item", item, known=_DONE, tries=3)
        else:
            body["items"] = [
                {"product_id": product["id"], "quantity": quantity} for product, quantity in lines
            ]
            if self._chance.random() < 0.2:  # at the price of a while ago
                body["items"][0]["price"] = lines[0][0]["price"]
        send = lambda: self._client.call(  # noqa: E731
            "POST", "/api/orders", body, known=_PLACED, key=key, tries=self._tries()
        )
        answers = at_once(send, send) if self._chance.random() < 0.15 else [send()]
        if answers[0].status == 409 and "items" not in body:  # shown at another price: start anew
            self._client.call("DELETE", "/api/carts", tries=3)
        orders = [answer.body for answer in answers if answer.status == 201]
        for order in orders:
            self._journal.note_order(key, order)
        return orders[0] if orders else None

    def _tries(self) -> int | None:
        """Most insist; some leave, and never learn what became of it."""
        return 1 if self._chance.random() < 0.08 else None

    def _charge(self, order: dict[str, Any], token: str, key: str) -> dict[str, Any] | None:
        body = {"order_id": order["id"], "method": {"type": "card", "token": token}}
        answer = self._client.call(
            "POST", "/api/payments", body, known=(201, 409), key=key, tries=self._tries()
        )
        if answer.status != 201:
            return None
        self._journal.note_payment(key, answer.body)
        return answer.body

    def _pay(self, order: dict[str, Any]) -> dict[str, Any] | None:
        key = new_key()
        if self._chance.random() < 0.15:
            pay = lambda: self._charge(order, "tok_visa", key)  # noqa: E731
            return next(filter(None, at_once(pay, pay)), None)
        return self._charge(order, "tok_visa", key)

    def _pay_twice(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """Two windows, two keys, one order."""
        pay = lambda: self._charge(order, "tok_visa", new_key())  # noqa: E731
        return next(filter(None, at_once(pay, pay)), None)

    def _fail_then_pay(self, order: dict[str, Any]) -> dict[str, Any] | None:
        self._charge(
            order, self._chance.choice(("tok_declined", "tok_insufficient_funds")), new_key()
        )
        return self._charge(order, "tok_visa", new_key())

    def _time_out(self, order: dict[str, Any]) -> dict[str, Any] | None:
        return self._charge(order, "tok_timeout", new_key())

    def _challenge(self, order: dict[str, Any]) -> dict[str, Any] | None:
        return self._charge(order, "tok_3ds", new_key())

    def _another_card(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """The bank's page is closed, and another card taken, by some in two windows."""
        self._charge(order, "tok_3ds", new_key())
        return self._pay_twice(order) if self._chance.random() < 0.3 else self._pay(order)

    def _forget(self, order: dict[str, Any]) -> None:
        """Its time passes, and the goods are free again."""

    def _pay_and_cancel(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """Both at the same instant: whoever comes first, money and goods end in one place."""
        paid, _ = at_once(
            lambda: self._charge(order, "tok_visa", new_key()), lambda: self._cancel(order)
        )
        return paid

    def _cancel(self, order: dict[str, Any], payment: Any = None) -> None:
        answer = self._client.call(
            "POST", f"/api/orders/{order['id']}/cancel", {}, known=(200, 409), tries=self._tries()
        )
        if answer.status == 200:
            self._journal.note(self._journal.cancelled, order["id"])

    def _keep(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        """Nothing more."""

    def _ship(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        self._to_pack(order["id"])

    def _refund(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        self._give_back(payment, "1.00", new_key())

    def _refund_twice(self, order: dict[str, Any], payment: dict[str, Any]) -> None:
        """The same twice, and two that are too much together, all at once."""
        key = new_key()
        at_once(
            lambda: self._give_back(payment, "1.00", key),
            lambda: self._give_back(payment, "1.00", key),
            lambda: self._give_back(payment, payment["amount"], new_key()),
        )

    def _give_back(self, payment: dict[str, Any], amount: str, key: str) -> None:
        path, body = f"/api/payments/{payment['id']}/refund", {"amount": amount, "reason": "chaos"}
        answer = self._staff.call("POST", path, body, known=_DONE, key=key, tries=self._tries())
        if answer.status in (200, 201):
            self._journal.note_refund(key, payment["id"], amount)


class Storekeeper:
    """Changes prices and stock while people buy."""

    def __init__(
        self,
        staff: Client,
        journal: Journal,
        chance: random.Random,
        products: list[dict[str, Any]],
    ):
        self._staff = staff
        self._journal = journal
        self._chance = chance
        self._products = products

    def visit(self) -> None:
        """One change."""
        product = self._chance.choice(self._products)
        if self._chance.random() < 0.4:
            price = {"price": f"{self._chance.randint(5, 60)}.{self._chance.choice(('00', '49'))}"}
            if self._chance.random() < 0.1:  # for nothing, until the next change
                price = {"price": "0.00"}
            self._staff.call("PATCH", f"/api/products/{product['id']}", price, tries=2)
            return
        found = self._staff.call("GET", f"/api/inventory/{product['id']}", tries=1)
        if found.status != 200:
            return
        level, *others = self._chance.sample(found.body["locations"], len(found.body["locations"]))
        if others and self._chance.random() < 0.3:
            self._transfer(product, level["location"], others[0]["location"])
        else:
            self._adjust(product, level)

    def _adjust(self, product: dict[str, Any], level: dict[str, Any]) -> None:
        """A few more of what has run out at a location, else one less: things stay scarce."""
        delta = self._chance.choice((2, 4, 6)) if level["available"] < SCARCE else -1
        reason = f"chaos {new_key()}"
        # No key here: it is tried once, and may have happened when there was no answer.
        path = f"/api/inventory/{product['id']}?location={level['location']}"
        body = {"delta": delta, "reason": reason}
        answer = self._staff.call("PATCH", path, body, known=(200, 409, 422), tries=1)
        if answer.status == 200:
            self._journal.note(self._journal.adjusted, reason)

    def _transfer(self, product: dict[str, Any], source: str, to: str) -> None:
        """One goes to another location, where two clerks take it in at once."""
        items = [{"variant_id": product["id"], "quantity": 1}]
        body = {"from": source, "to": to, "items": items}
        sent = self._staff.call(
            "POST", "/api/transfers", body, known=(201, 409), key=new_key(), tries=5
        )
        if sent.status == 201:
            self._journal.count("transfers")
            path, key = f"/api/transfers/{sent.body['id']}/receive", new_key()
            receive = lambda: self._staff.call(  # noqa: E731
                "POST", path, {}, known=(200, 409), key=key, tries=5
            )
            at_once(receive, receive)
