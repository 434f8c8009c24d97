"""Whom and what the attacks need: people of each role, goods, and orders to be after."""

import secrets
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shop import sample
from shop.attack.door import Answer, Door, Person
from shop.local.server import LocalError

PASSWORD = secrets.token_urlsafe(18)
ADDRESS = {
    "line1": "1 Main Street",
    "city": "Utrecht",
    "postal_code": "3511 AB",
    "country": "NL",
}


class Refused(Exception):
    """A plain request of a well-behaved client failed, so that nothing could be tried."""


class Scene:
    """The stage of one run. Goods that are put there are taken away by `clear`; people stay."""

    def __init__(self, door: Door, short: bool = False):
        self.door = door
        self.short = short
        self.admin = self._staff_member("admin")
        self.staff = self._staff_member("staff")
        self._products: list[int] = []
        self.victim = self.customer()
        self.stranger = self.customer()

    def customer(self) -> Person:
        """Somebody new, signed up and logged in from an address of their own."""
        person = Person(self.door)
        person.email = f"attack-{uuid.uuid4().hex[:16]}@example.com"
        person.password = PASSWORD
        account = {"email": person.email, "password": PASSWORD}
        person.user_id = _must(person.call("POST", "/api/users/signup", account), 201)["id"]
        self.log_in(person)
        return person

    def log_in(self, person: Person) -> None:
        """Give a person new tokens."""
        account = {"email": person.email, "password": person.password}
        tokens = _must(person.call("POST", "/api/users/login", account), 200)
        person.token, person.refresh_token = tokens["access_token"], tokens["refresh_token"]

    def product(self, stock: int = 1000, price: str = "10.00") -> int:
        """The id of a product of its own."""
        body = {"name": "Attack target", "price": price, "stock": stock}
        product = _must(self.admin.call("POST", "/api/products", body), 201)
        self._products.append(product["id"])
        return product["id"]

    def order(self, buyer: Person, product: int, quantity: int = 1) -> dict[str, Any]:
        """An order that waits for its payment."""
        return _must(self.try_order(buyer, product, quantity), 201)

    def try_order(self, buyer: Person, product: int, quantity: int = 1) -> Answer:
        """The answer to an order of one product."""
        body = self.order_of(product, quantity)
        return buyer.call("POST", "/api/orders", body, headers={"Idempotency-Key": new_key()})

    def order_of(self, product: int, quantity: int) -> dict[str, Any]:
        """What asks for an order of one product."""
        items = [{"product_id": product, "quantity": quantity}]
        return {"items": items, "shipping_address": ADDRESS}

    def pay(self, buyer: Person, order: dict[str, Any], key: str | None = None) -> Answer:
        """The answer to a payment by card."""
        body = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
        headers = {"Idempotency-Key": key or new_key()}
        return buyer.call("POST", "/api/payments", body, headers=headers)

    def clear(self) -> None:
        """Take the goods off the shelves."""
        for product in self._products:
            self.admin.call("DELETE", f"/api/products/{product}")

    def _staff_member(self, role: str) -> Person:
        person = Person(self.door)
        account = next(one for one in sample.ACCOUNTS if one["role"] == role)
        person.email, person.password = str(account["email"]), sample.PASSWORD
        answer = person.call(
            "POST", "/api/users/login", {"email": person.email, "password": person.password}
        )
        if answer.status != 200:
            raise LocalError(
                f"the sample account {person.email} can't log in at {self.door.url}"
                f" ({answer.status} {answer.code or ''}): attack a shop that make run has started,"
                " never one that sells"
            )
        person.token = answer.body["access_token"]
        person.user_id = _must(person.call("GET", "/api/users/profile"), 200)["id"]
        return person


class Buyer:
    """Somebody who goes on buying from another address while the shop is under attack: reads a
    product that nobody remembers, puts it in the cart and looks at it, again and again."""

    def __init__(self, scene: Scene, product: int):
        self._person = scene.customer()
        self._line = {"product_id": product, "quantity": 1}
        _must(self._person.call("POST", "/api/carts/add_item", self._line), 200)
        self._product = product
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._buy, daemon=True)
        self.answers: list[Answer] = []

    def __enter__(self) -> "Buyer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        self._thread.join()
        self._person.leave()

    def _buy(self) -> None:
        while not self._ends.is_set():
            self._note(self._person.call("GET", f"/api/products/{self._product}"))
            self._note(self._person.call("PUT", "/api/carts/update_quantity", self._line))
            self._person.leave()  # a new connection is what a flood makes dear
            self._ends.wait(0.05)

    def _note(self, answer: Answer) -> None:
        self.answers.append(answer)

    @property
    def failed(self) -> list[Answer]:
        """Answers that a buyer does not forgive."""
        return [answer for answer in self.answers if answer.status == 0 or answer.status >= 429]

    def slowest(self, part: float = 0.95) -> float:
        """Seconds within which this part of the answers came."""
        ordered = sorted(answer.seconds for answer in self.answers)
        return ordered[int(part * (len(ordered) - 1))] if ordered else float("inf")


def at_once(people: list[Person], work: Callable[[Person], Answer]) -> list[Answer]:
    """The answers to what all of them do at the same instant, each in a thread."""
    start = threading.Barrier(len(people))

    def run(person: Person) -> Answer:
        start.wait()
        answer = work(person)
        person.leave()
        return answer

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


def new_key() -> str:
    """An idempotency key."""
    return uuid.uuid4().hex


def until(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether `condition` came true in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return holds


def _must(answer: Answer, status: int) -> Any:
    if answer.status != status:
        raise Refused(f"a plain request was answered with {answer.status} {answer.code or ''}")
    return answer.body
