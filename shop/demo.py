"""`shop demo`: one customer, whose address is confirmed, and two orders. The first is paid and
followed until its mails are out; the second is cancelled, and goods and money come back.

Everything goes through REST, as any client would do it, and every answer is checked.
"""

import secrets
import uuid
from collections import Counter
from decimal import Decimal
from typing import Any

from rich.console import Console

from shop import mails
from shop.operate.settings import mail_outbox, shop_url
from shop.visitor import Surprise, Visitor

ADDRESS = {
    "line1": "12 Harbour Street",
    "city": "Hamburg",
    "postal_code": "20457",
    "country": "DE",
}


def demo() -> int:
    """Walk through the shop; 0 when all was as it should be, else 1 after a line that says what."""
    console = Console(highlight=False)
    visitor = Visitor(shop_url(), console)
    try:
        _walk(visitor)
    except Surprise as surprise:
        console.print(f"\n[bold red]not as it should be:[/bold red] {surprise}", soft_wrap=True)
        return 1
    console.print(f"\n[bold green]all as it should be[/bold green] ({visitor.calls} calls)")
    return 0


def _walk(visitor: Visitor) -> None:
    visitor.title(f"A visitor comes to {visitor.url}")
    visitor.knock()
    visitor.until("/api/products?limit=1", lambda answer: True, "the shop answers")
    gets_mails = _sign_up(visitor)
    one, other, *_ = _browse(visitor)
    total = _fill_cart(visitor, one, other)
    first = _order(visitor, "Order what is in the cart", {"expected_total": total})
    _check(Decimal(first["total"]) == Decimal(total), "the order costs what the cart did")
    _pay(visitor, first)
    _follow(visitor, first, gets_mails)
    _cancel(visitor, other, gets_mails)
    _no_mail_twice(visitor)


def _sign_up(visitor: Visitor) -> bool:
    """Make an account; whether its address could be confirmed."""
    visitor.title("Sign up and log in")
    account = {"email": f"demo-{uuid.uuid4().hex[:12]}@example.com"}
    account["password"] = secrets.token_urlsafe(12)
    details = account | {"first_name": "Ada", "address": ADDRESS}
    visitor.call("POST", "/api/users/signup", details, 201, done=409)
    visitor.token = visitor.call("POST", "/api/users/login", account)["access_token"]
    profile = visitor.call("GET", "/api/users/profile")
    _check(profile["email"] == account["email"], "the token is for the account that was made")
    return _confirm(visitor)


def _confirm(visitor: Visitor) -> bool:
    """Confirm the address with the token of the mail; False when its mails cannot be read here."""
    visitor.title("Confirm the e-mail address")
    feed = visitor.until(
        "/api/notifications?limit=100",
        lambda answer: mails.confirmation(answer["items"]),
        "the mail that has the address confirmed is out",
    )
    token = mails.token(mail_outbox(), mails.confirmation(feed["items"]))
    if token is None:
        visitor.remark("its mails are not in files here: without the token in them, the address")
        visitor.remark("stays as it is, and what happens to the orders is told in the feed alone")
        return False
    visitor.call("POST", "/api/users/email/verify", {"token": token}, 204, done=422)
    profile = visitor.call("GET", "/api/users/profile")
    _check(profile["email_verified"], "the address is confirmed")
    return True


def _browse(visitor: Visitor) -> list[dict[str, Any]]:
    """Two products or more that can be bought."""
    visitor.title("Look around")
    visitor.call("GET", "/api/categories")
    found = visitor.until(
        "/api/products?in_stock=true&min_price=5&sort=price&limit=20",
        lambda answer: len(_plenty(answer)) >= 2,
        "there are two products with three or more in stock",
    )
    plenty = _plenty(found)
    visitor.call("GET", f"/api/products/{plenty[0]['id']}")
    return plenty


def _plenty(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [product for product in found["items"] if product["available"] >= 3]


def _fill_cart(visitor: Visitor, one: dict[str, Any], other: dict[str, Any]) -> str:
    """Two of one and one of the other; what they cost together."""
    visitor.title("Fill the cart")
    visitor.call("POST", "/api/carts/add_item", {"product_id": one["id"], "quantity": 1})
    # Also what makes the cart right when an add_item was made twice because no answer came.
    for product, quantity in ((one, 2), (other, 1)):
        line = {"product_id": product["id"], "quantity": quantity}
        if product is other:
            visitor.call("POST", "/api/carts/add_item", line)
        visitor.call("PUT", "/api/carts/update_quantity", line)
    cart = visitor.call("GET", "/api/carts")
    expected = 2 * Decimal(one["price"]) + Decimal(other["price"])
    _check(Decimal(cart["total"]) == expected, f"the cart's total is {expected}")
    return cart["total"]


def _order(visitor: Visitor, title: str, body: dict[str, Any]) -> dict[str, Any]:
    visitor.title(title)
    key = str(uuid.uuid4())
    order = visitor.call("POST", "/api/orders", body, 201, key)
    _check(
        (order["status"], order["payment_status"]) == ("pending", "unpaid"),
        "a new order is pending and unpaid",
    )
    again = visitor.call("POST", "/api/orders", body, 201, key)
    _check(again["id"] == order["id"], "the same key is the same order, not one more")
    return order


def _pay(visitor: Visitor, order: dict[str, Any]) -> None:
    visitor.title("Pay")
    body = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
    payment = visitor.call("POST", "/api/payments", body, 201, str(uuid.uuid4()))
    _check(Decimal(payment["amount"]) == Decimal(order["total"]), "the order's total was charged")
    visitor.until(
        f"/api/orders/{order['id']}",
        lambda now: (now["status"], now["payment_status"]) == ("processing", "paid"),
        "the order is paid and being processed",
    )


def _follow(visitor: Visitor, order: dict[str, Any], gets_mails: bool) -> None:
    if gets_mails:
        visitor.title("Read the mails about it")
        feed = visitor.until(
            "/api/notifications?limit=100",
            lambda answer: len(_mails(answer, order)) >= 3,
            "three mails about the order are out: placed, payment received, paid",
        )
        for mail in _mails(feed, order):
            visitor.remark(f"mail: {mail['subject']}  ({mail_outbox() / mail['id']}.eml)")
    visitor.title("Follow it on its timeline")
    timeline = visitor.until(
        f"/api/orders/{order['id']}/timeline",
        lambda answer: (
            {"order", "stock", "payment"} | ({"mail"} if gets_mails else set())
            <= {entry["kind"] for entry in answer["items"]}
        ),
        "all that happened is on the timeline",
    )
    for entry in timeline["items"]:
        visitor.remark(f"{entry['at'][11:23]}  {entry['kind']:8} {entry['cause']}")


def _cancel(visitor: Visitor, product: dict[str, Any], gets_mails: bool) -> None:
    path = f"/api/products/{product['id']}"
    before = visitor.call("GET", path)["available"]
    item = {"product_id": product["id"], "quantity": 2, "price": product["price"]}
    order = _order(visitor, "Order something else, without the cart", {"items": [item]})
    _pay(visitor, order)
    visitor.title("Cancel it: goods and money come back")
    visitor.call(
        "POST", f"/api/orders/{order['id']}/cancel", {"reason": "Ordered by mistake"}, done=409
    )
    refunded = visitor.until(
        f"/api/orders/{order['id']}",
        lambda now: (now["status"], now["payment_status"]) == ("cancelled", "refunded"),
        "the order is cancelled and refunded",
    )
    payments = visitor.until(
        f"/api/payments?order_id={order['id']}",
        lambda answer: [each["status"] for each in answer["items"]] == ["refunded"],
        "its payment is refunded",
    )
    given_back = Decimal(payments["items"][0]["refunded"])
    _check(given_back == Decimal(refunded["total"]), "all of the money was given back")
    visitor.until(path, lambda now: now["available"] >= before, "the goods are in stock again")
    if gets_mails:
        visitor.until(
            "/api/notifications?limit=100",
            lambda answer: len(_mails(answer, order)) >= 5,
            "the mails about the cancelled order and its refund are out",
        )


def _no_mail_twice(visitor: Visitor) -> None:
    feed = visitor.call("GET", "/api/notifications?limit=100")
    told = Counter((each["channel"], each["subject"]) for each in feed["items"])
    twice = [subject for (_, subject), count in told.items() if count > 1]
    _check(not twice, f"nothing was told twice ({', '.join(twice)})")


def _mails(feed: dict[str, Any], order: dict[str, Any]) -> list[dict[str, Any]]:
    """Mails that were sent about an order. Those about its payment name it by the first characters
    of its id, for payments knows no number."""
    names = (order["number"], order["id"][:8].upper())
    return [
        each
        for each in feed["items"]
        if each["channel"] == "email"
        and any(name in each["subject"] for name in names)
        and each["status"] == "sent"
    ]


def _check(condition: bool, what: str) -> None:
    if not condition:
        raise Surprise(f"not true: {what}")
