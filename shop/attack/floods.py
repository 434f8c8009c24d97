"""One stranger sends more than a shop can take; what the others notice of it."""

import functools
import json
import time
from collections.abc import Callable

from shop.attack.check import Check, Outcome
from shop.attack.door import Storm
from shop.attack.scene import Buyer, Scene, new_key

#: Seconds that a flood lasts, and in the short form.
LASTS, SHORT = 12.0, 4.0
#: What a buyer bears meanwhile: this part of the answers may fail, the others come within so many
#: seconds but for one in twenty.
FORGIVEN, PATIENCE = 0.01, 3.0

_HEAD = b"POST /api/users/signup HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
_BODY = _HEAD + b"Content-Length: 262144\r\n\r\n"


def _unnoticed(outcome: Outcome, buyer: Buyer) -> None:
    outcome.tried += len(buyer.answers)
    if len(buyer.failed) > FORGIVEN * len(buyer.answers):
        statuses = sorted({answer.status for answer in buyer.failed})
        outcome.findings.append(
            f"{len(buyer.failed)} of {len(buyer.answers)} answers to a buyer failed: {statuses}"
        )
    if buyer.slowest() > PATIENCE:
        outcome.findings.append(f"a buyer waits {buyer.slowest():.1f} s at the 95th percentile")
    if not buyer.answers:
        outcome.findings.append("no buyer was answered at all")


def _under_connections(count: int, first: bytes, scene: Scene, outcome: Outcome) -> None:
    product = scene.product()
    if scene.short:
        count //= 4
    buyer = Buyer(scene, product)
    with scene.door.crowd(count, scene.door.new_address(), first), buyer:
        time.sleep(SHORT if scene.short else LASTS)
    _unnoticed(outcome, buyer)


def _under_requests(make: Callable[[], bytes], scene: Scene, outcome: Outcome) -> None:
    buyer = Buyer(scene, scene.product())
    with Storm(scene.door, 64 if scene.short else 250, make), buyer:
        time.sleep(SHORT if scene.short else LASTS)
    _unnoticed(outcome, buyer)


def _get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: shop\r\nCache-Control: no-cache\r\n\r\n".encode()


def _post(target: str, **body: str) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _sign_up() -> bytes:
    name = new_key()
    return _post("/api/users/signup", email=f"flood-{name[:12]}@example.com", password=name)


_CONNECTIONS = {
    "silent connections": (4000, b""),
    "unfinished heads": (1000, _HEAD),
    "unfinished bodies": (1000, _BODY + b"{" * 60000),
}
_REQUESTS = {
    "probes": lambda: _get("/readyz"),
    "sign-ups": _sign_up,
    "log-ins": lambda: _post("/api/users/login", email="a@example.com", password=new_key()),
    "searches": lambda: _get(f"/api/products?search={new_key()[:12]}&limit=100"),
    "returns from a payment page": lambda: _get(
        f"/api/payments/stripe/success?payment_intent=pi_{new_key()}"
    ),
}

CHECKS = [
    Check(
        "floods",
        name,
        "buyers elsewhere are served as before",
        functools.partial(_under_connections, *crowd),
        is_long=name == "unfinished heads",
    )
    for name, crowd in _CONNECTIONS.items()
] + [
    Check(
        "floods",
        name,
        "buyers elsewhere are served as before",
        functools.partial(_under_requests, make),
        is_long=name in ("searches", "returns from a payment page"),
    )
    for name, make in _REQUESTS.items()
]
