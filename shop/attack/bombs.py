"""Small requests that are dear to read, or that are answered with much."""

import functools
import json
from collections.abc import Callable

from shop.attack.check import Check, Outcome
from shop.attack.scene import Buyer, Scene

#: Bytes of an answer to a refused request, and seconds until it.
MOST_ANSWERED, PATIENCE = 16 * 1024, 2.0
#: Bytes of each bomb: what the shop lets in.
SIZE = 261_000


def _repeated(part: str) -> str:
    return ",".join([part] * (SIZE // (len(part) + 1)))


def _keys(value: str) -> str:
    return ",".join(f'"k{number}":{value}' for number in range(SIZE // 12))


#: Bodies as text, by what is dear in them; each fits the shop's limit for bodies.
BODIES = {
    "87,000 empty items": lambda: f'{{"items":[{_repeated("{}")}]}}',
    "130,000 numbers for items": lambda: f'{{"items":[{_repeated("1")}]}}',
    "26,000 unknown fields": lambda: f"{{{_keys('1')}}}",
    "13,000 lists in each other": lambda: '{"items":' + "[" * 13_000 + "]" * 13_000 + "}",
    "40,000 objects in each other": lambda: '{"a":' * 40_000 + "1" + "}" * 40_000,
    "a number of 250,000 digits": lambda: f'{{"items":{"9" * 250_000}}}',
    "a string of 250,000 letters": lambda: json.dumps({"email": "a" * 250_000, "password": "b"}),
    "a password of 250,000 letters": lambda: json.dumps(
        {"email": "a@example.com", "password": "b" * 250_000}
    ),
    "80,000 line breaks": lambda: json.dumps({"email": "\n" * 80_000, "password": "b"}),
    "one key 20,000 times": lambda: "{" + ",".join(['"items":[{}]'] * 20_000) + "}",
}
#: Where strangers may send a body, and where a customer may.
OPEN = ("/api/inventory/check", "/api/users/signup", "/api/users/login")
SIGNED_IN = ("/api/orders", "/api/carts/add_item", "/api/payments", "/api/users/addresses")


def _explode(make: Callable[[], str], scene: Scene, outcome: Outcome) -> None:
    body = make().encode()
    buyer = Buyer(scene, scene.product())
    person = scene.stranger.twin()
    with buyer:
        for path in OPEN + SIGNED_IN:
            answer = person.call("POST", path, body)
            outcome.expect(
                400 <= answer.status < 500, f"{path} answered {answer.status or 'nothing'}"
            )
            outcome.expect(
                answer.size <= MOST_ANSWERED, f"{path} answered with {answer.size:,} bytes"
            )
            outcome.expect(
                answer.seconds <= PATIENCE, f"{path} took {answer.seconds:.1f} s to refuse it"
            )
    person.leave()
    outcome.expect(
        buyer.slowest(1.0) <= PATIENCE, f"a buyer waited {buyer.slowest(1.0):.1f} s meanwhile"
    )


def _long_questions(scene: Scene, outcome: Outcome) -> None:
    person = scene.stranger.twin()
    for query in (
        "search=" + "a%20" * 1500,
        "search=" + "%F0%9F%8D%8B" * 500,
        "&".join(f"a{number}=1" for number in range(900)),
        "limit=" + "9" * 5000,
        "cursor=" + "A" * 5000,
        "min_price=" + "1" * 5000,
        "category=" + "%00" * 1000,
    ):
        answer = person.call("GET", f"/api/products?{query}")
        outcome.expect(
            answer.status < 500 and answer.status != 0,
            f"a list with {query[:20]}… answered {answer.status or 'nothing'}",
        )
        outcome.expect(
            answer.seconds <= PATIENCE, f"a list with {query[:20]}… took {answer.seconds:.1f} s"
        )
        outcome.expect(
            answer.status == 200 or answer.size <= MOST_ANSWERED,
            f"a list with {query[:20]}… was refused with {answer.size:,} bytes",
        )
    person.leave()


CHECKS = [
    Check("bombs", name, "refused soon and briefly", functools.partial(_explode, make))
    for name, make in BODIES.items()
] + [Check("bombs", "long questions", "answered soon, or refused", _long_questions)]
