"""Other people's things, and what only staff may do: every operation of the API, read off its
description, so that none is forgotten."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from shop.attack.check import Check, Outcome
from shop.attack.door import Person
from shop.attack.scene import ADDRESS, Refused, Scene

_NAME = re.compile(r"{(\w+)}")
#: Answers that give nothing away: not signed in, not allowed, not there; or no fault of the caller
#: was looked for yet (a body is asked for first).
_CLOSED = (401, 403, 404)


#: Customers get their own there; what they may not is a filter.
_FOR_ALL = {("GET", "/api/orders")}
#: Ids of the right form that are nobody's, by their name in a path.
NOBODYS = defaultdict(lambda: str(uuid.uuid4())) | {
    "product_id": str(2**60),
    "category_id": str(2**60),
    "provider": "simulator",
    "file": "docs.css",
}


def _operations(scene: Scene) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path template and description of each operation."""
    answer = scene.stranger.call("GET", "/api/openapi.json")
    if answer.status != 200:
        raise Refused(f"/api/openapi.json answered {answer.status}; this needs HTTP_DOCS=true")
    for path, item in answer.body["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield method.upper(), path, operation


def _things_of(scene: Scene, victim: Person) -> dict[str, str]:
    """An id of the victim's for each name in a path."""
    order = scene.order(victim, scene.product())
    payment = scene.pay(victim, order).body
    address = victim.call("POST", "/api/users/addresses", ADDRESS).body
    return {
        "order_id": order["id"],
        "payment_id": payment["id"],
        "address_id": address["id"],
        "user_id": victim.user_id or "",
        # A notification's id is not known to a stranger; a random one has to look the same.
        "notification_id": order["id"],
        "id": order["id"],
    }


def _of_others(scene: Scene, outcome: Outcome) -> None:
    things = _things_of(scene, scene.victim)
    before = scene.victim.call("GET", f"/api/orders/{things['order_id']}").body
    stranger = scene.stranger.twin()
    for method, template, operation in _operations(scene):
        names = _NAME.findall(template)
        if not names or not set(names) <= things.keys() or not operation.get("security"):
            continue
        path = _NAME.sub(lambda match: things[match[1]], template)
        answer = stranger.call(method, path, _body(operation), headers={"Idempotency-Key": "other"})
        outcome.expect(
            answer.status in (*_CLOSED, 422),
            f"{method} {template} of somebody else answered {answer.status}",
        )
        if answer.status == 422:
            outcome.expect(
                not _tells(answer.body, things), f"{method} {template} tells of somebody else"
            )
    lists = ("/api/orders", "/api/notifications", "/api/users/addresses", "/api/carts")
    for path in (*lists, f"/api/orders?user_id={things['user_id']}"):
        answer = stranger.call("GET", path)
        outcome.expect(
            answer.status in (200, *_CLOSED, 422), f"GET {path} answered {answer.status}"
        )
        outcome.expect(not _tells(answer.body, things), f"GET {path} shows somebody else's things")
    after = scene.victim.call("GET", f"/api/orders/{things['order_id']}").body
    outcome.expect(
        before["shipping_address"] == after["shipping_address"], "a stranger changed an order"
    )
    stranger.leave()


def _tells(body: Any, things: dict[str, str]) -> bool:
    return any(thing in str(body) for thing in things.values())


def _body(operation: dict[str, Any]) -> Any:
    """The example that the description gives for the body, so that more than its form is asked."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" in content:
        return content["example"]
    return next((one["value"] for one in content.get("examples", {}).values()), None)


def _staff_only(scene: Scene, outcome: Outcome) -> None:
    """Operations that refuse a customer (their description lists 403), tried by all who may not."""
    customer, nobody = scene.stranger.twin(), Person(scene.door)
    for method, template, operation in _operations(scene):
        if not operation.get("security"):
            continue
        path = _NAME.sub(lambda match: NOBODYS[match[1]], template)
        answer = nobody.call(method, path, _body(operation))
        outcome.expect(
            answer.status in (401, 404), f"{method} {template} answered nobody {answer.status}"
        )
        if "403" in operation["responses"] and (method, template) not in _FOR_ALL:
            answer = customer.call(method, path, _body(operation))
            outcome.expect(
                answer.status in (403, 404),
                f"{method} {template} answered a customer {answer.status}",
            )
    customer.leave()
    nobody.leave()


def _more_than_given(scene: Scene, outcome: Outcome) -> None:
    """What a client must not decide: its role, the price, whose it is, what has been paid."""
    person = scene.stranger.twin()
    product = scene.product(price="10.00")
    line = {"product_id": product, "quantity": 1}
    tries = [
        ("PATCH", "/api/users/profile", {"role": "admin"}),
        ("PATCH", "/api/users/profile", {"email_verified": True}),
        ("PATCH", "/api/users/profile", {"id": scene.victim.user_id}),
        ("POST", "/api/users/signup", {"email": "x@example.com", "password": "p", "role": "admin"}),
        ("POST", "/api/orders", {"items": [line | {"unit_price": "0.01"}]}),
        ("POST", "/api/orders", {"items": [line | {"price": "0.01"}], "shipping_address": ADDRESS}),
        ("POST", "/api/orders", {"items": [line], "user_id": scene.victim.user_id}),
        ("POST", "/api/orders", {"items": [line], "status": "shipped"}),
        ("POST", "/api/orders", {"items": [line], "payment_status": "paid"}),
        ("POST", "/api/orders", {"items": [line | {"quantity": -1}]}),
        ("POST", "/api/orders", {"items": [line | {"quantity": 0}]}),
        ("POST", "/api/orders", {"items": [line | {"quantity": 1.5}]}),
        ("POST", "/api/orders", {"items": [line | {"quantity": True}]}),
        ("POST", "/api/carts/add_item", line | {"quantity": -5}),
        ("POST", "/api/carts/add_item", line | {"unit_price": "0.01"}),
        ("POST", "/api/carts/add_item", line | {"quantity": 10**30}),
    ]
    for method, path, body in tries:
        answer = person.call(method, path, body)
        outcome.expect(
            answer.status in (403, 409, 422), f"{method} {path} {body} answered {answer.status}"
        )
    role = person.call("GET", "/api/users/profile").body["role"]
    outcome.expect(role == "customer", f"a customer made itself {role}")
    person.leave()


CHECKS = [
    Check("ownership", "other people's things", "as if they were not there", _of_others),
    Check("ownership", "what staff may do", "refused to all others", _staff_only),
    Check("ownership", "fields that are not the client's", "refused", _more_than_given),
]
