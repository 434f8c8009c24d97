"""`shop demo`: one customer, whose address is confirmed, and two orders. The first is paid, sent in
two parcels and followed until its mails are out; the second is cancelled, and goods and money come
back.

Everything goes through REST, as any client would do it, and every answer is checked.
"""

import secrets
import uuid
from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Any

from rich.console import Console

from shop import mails
from shop.demo_client import DemoClient, Unexpected
from shop.operate.settings import mail_outbox, shop_url
from shop.sample.loader import PASSWORD

ADDRESS = {
    "line1": "12 Harbour Street",
    "city": "Hamburg",
    "postal_code": "20457",
    "country": "DE",
}


def demo() -> int:
    """Walk through the shop; 0 when all was as it should be, else 1 after a line that says what."""
    console = Console(highlight=False)
    client = DemoClient(shop_url(), console)
    try:
        _walk(client)
    except Unexpected as surprise:
        console.print(f"\n[bold red]not as it should be:[/bold red] {surprise}", soft_wrap=True)
        return 1
    console.print(f"\n[bold green]all as it should be[/bold green] ({client.calls} calls)")
    return 0


def _walk(client: DemoClient) -> None:
    client.title(f"A customer comes to {client.url}")
    client.reach()
    client.until("/api/products?limit=1", lambda answer: True, "the shop answers")
    gets_mails = _sign_up(client)
    one, other = _browse(client)
    goods = _fill_cart(client, one, other)
    shipped, total = _choose_shipping(client, goods)
    body = {"expected_total": total} | shipped
    first = _order(client, "Order what is in the cart", body)
    _check(first["total"] == total, "the order costs what it was to cost by this method")
    _pay(client, first)
    _ship(client, first)
    _follow(client, first, gets_mails)
    _cancel(client, other, shipped, gets_mails)
    _no_mail_twice(client)


def _sign_up(client: DemoClient) -> bool:
    """Make an account; whether its address could be confirmed."""
    client.title("Sign up and log in")
    account = {"email": f"demo-{uuid.uuid4().hex[:12]}@example.com"}
    account["password"] = secrets.token_urlsafe(12)
    details = account | {"first_name": "Ada", "address": ADDRESS}
    client.call("POST", "/api/users/signup", details, 201, done=409)
    client.token = client.call("POST", "/api/users/login", account)["access_token"]
    profile = client.call("GET", "/api/users/profile")
    _check(profile["email"] == account["email"], "the token is for the account that was made")
    return _confirm(client)


def _confirm(client: DemoClient) -> bool:
    """Confirm the address with the token of the mail; False when its mails cannot be read here."""
    client.title("Confirm the e-mail address")
    feed = client.until(
        "/api/notifications?limit=100",
        lambda answer: mails.confirmation(answer["items"]),
        "the mail that has the address confirmed is out",
    )
    token = mails.token(mail_outbox(), mails.confirmation(feed["items"]))
    if token is None:
        client.remark("its mails are not in files here: without the token in them, the address")
        client.remark("stays as it is, and what happens to the orders is told in the feed alone")
        return False
    client.call("POST", "/api/users/email/verify", {"token": token}, 204, done=422)
    profile = client.call("GET", "/api/users/profile")
    _check(profile["email_verified"], "the address is confirmed")
    return True


def _browse(client: DemoClient) -> list[dict[str, Any]]:
    """Variants of two products that can be bought."""
    client.title("Look around")
    client.call("GET", "/api/categories")
    found = client.until(
        "/api/products?in_stock=true&min_price=5&sort=price&limit=20",
        lambda answer: len(_plenty(answer)) >= 2,
        "there are two products with three or more in stock",
    )
    looked_at = (_most_available(client, product) for product in _plenty(found))
    chosen = list(islice((one for one in looked_at if one["available"] >= 3), 2))
    _check(len(chosen) == 2, "two of them have a variant with three or more in stock")
    return chosen


def _plenty(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [product for product in found["items"] if product["available"] >= 3]


def _most_available(client: DemoClient, product: dict[str, Any]) -> dict[str, Any]:
    variants = client.call("GET", f"/api/products/{product['id']}")["variants"]
    return max(variants, key=lambda variant: variant["available"])


def _fill_cart(client: DemoClient, one: dict[str, Any], other: dict[str, Any]) -> str:
    """Two of one and one of the other; what they cost together."""
    client.title("Fill the cart")
    client.call("POST", "/api/carts/add_item", {"variant_id": one["id"], "quantity": 1})
    # Also what makes the cart right when an add_item was made twice because no answer came.
    for variant, quantity in ((one, 2), (other, 1)):
        line = {"variant_id": variant["id"], "quantity": quantity}
        if variant is other:
            client.call("POST", "/api/carts/add_item", line)
        client.call("PUT", "/api/carts/update_quantity", line)
    cart = client.call("GET", "/api/carts")
    expected = 2 * Decimal(one["price"]) + Decimal(other["price"])
    _check(Decimal(cart["total"]) == expected, f"the cart's total is {expected}")
    return cart["total"]


def _choose_shipping(client: DemoClient, goods: str) -> tuple[dict[str, str], str]:
    """The dearest method, as an order names it, and what all costs by it; in a shop that has none,
    what the `goods` cost."""
    client.title("Choose how it is shipped")
    quotes = client.call("GET", "/api/carts/shipping")["items"]
    if not quotes:
        client.remark("this shop has no shipping methods to choose from")
        return {}, goods
    dearest = quotes[-1]
    return {"shipping_method": dearest["code"]}, dearest["total"]


def _order(client: DemoClient, title: str, body: dict[str, Any]) -> dict[str, Any]:
    client.title(title)
    key = str(uuid.uuid4())
    order = client.call("POST", "/api/orders", body, 201, key)
    _check(
        (order["status"], order["payment_status"]) == ("pending", "unpaid"),
        "a new order is pending and unpaid",
    )
    again = client.call("POST", "/api/orders", body, 201, key)
    _check(again["id"] == order["id"], "the same key is the same order, not one more")
    return order


def _pay(client: DemoClient, order: dict[str, Any]) -> None:
    client.title("Pay")
    body = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
    payment = client.call("POST", "/api/payments", body, 201, str(uuid.uuid4()))
    _check(Decimal(payment["amount"]) == Decimal(order["total"]), "the order's total was charged")
    client.until(
        f"/api/orders/{order['id']}",
        lambda now: (now["status"], now["payment_status"]) == ("processing", "paid"),
        "the order is paid and being processed",
    )


def _ship(client: DemoClient, order: dict[str, Any]) -> None:
    """Sent by the sample's staff, where there are some."""
    client.title("Staff send it in two parcels")
    buyer, staff = client.token, {"email": "staff@example.com", "password": PASSWORD}
    client.token = client.log_in(staff)
    if client.token is None:
        client.remark("this shop has not the sample's staff, so it is not sent")
    else:
        path = f"/api/orders/{order['id']}/fulfilments"
        part = {"items": [{"line": 1, "quantity": 1}], "carrier": "DHL", "tracking_number": "00340"}
        parcel = client.call("POST", path, part, 201, str(uuid.uuid4()))
        # The rest, in a parcel from each location where some of it lies.
        client.call("PATCH", f"/api/orders/{order['id']}", {"status": "shipped"}, done=409)
        delivered = f"/api/fulfilments/{parcel['id']}"
        client.call("PATCH", delivered, {"state": "delivered"}, done=409)
        client.token = buyer
        parcels = client.call("GET", path)["items"]
        states = [each["state"] for each in parcels]
        _check(
            states[0] == "delivered" and set(states[1:]) == {"shipped"},
            "one parcel has arrived, the rest is on its way",
        )
        now = client.call("GET", f"/api/orders/{order['id']}")
        _check(now["status"] == "shipped", "all of the order has left")
    client.token = buyer


def _follow(client: DemoClient, order: dict[str, Any], gets_mails: bool) -> None:
    if gets_mails:
        client.title("Read the mails about it")
        feed = client.until(
            "/api/notifications?limit=100",
            lambda answer: len(_mails(answer, order)) >= 3,
            "three mails about the order are out: placed, payment received, paid",
        )
        for mail in _mails(feed, order):
            client.remark(f"mail: {mail['subject']}  ({mail_outbox() / mail['id']}.eml)")
    client.title("Follow it on its timeline")
    timeline = client.until(
        f"/api/orders/{order['id']}/timeline",
        lambda answer: (
            {"order", "stock", "payment"} | ({"mail"} if gets_mails else set())
            <= {entry["kind"] for entry in answer["items"]}
        ),
        "all that happened is on the timeline",
    )
    for entry in timeline["items"]:
        client.remark(f"{entry['at'][11:23]}  {entry['kind']:8} {entry['cause']}")


def _cancel(
    client: DemoClient, variant: dict[str, Any], shipped: dict[str, str], gets_mails: bool
) -> None:
    path = f"/api/products/{variant['product_id']}"
    before = client.call("GET", path)["available"]
    item = {"variant_id": variant["id"], "quantity": 2, "price": variant["price"]}
    body = {"items": [item]} | shipped
    order = _order(client, "Order something else, without the cart", body)
    _pay(client, order)
    client.title("Cancel it: goods and money come back")
    client.call(
        "POST", f"/api/orders/{order['id']}/cancel", {"reason": "Ordered by mistake"}, done=409
    )
    refunded = client.until(
        f"/api/orders/{order['id']}",
        lambda now: (now["status"], now["payment_status"]) == ("cancelled", "refunded"),
        "the order is cancelled and refunded",
    )
    payments = client.until(
        f"/api/payments?order_id={order['id']}",
        lambda answer: [each["status"] for each in answer["items"]] == ["refunded"],
        "its payment is refunded",
    )
    given_back = Decimal(payments["items"][0]["refunded"])
    _check(given_back == Decimal(refunded["total"]), "all of the money was given back")
    client.until(path, lambda now: now["available"] >= before, "the goods are in stock again")
    if gets_mails:
        client.until(
            "/api/notifications?limit=100",
            lambda answer: len(_mails(answer, order)) >= 5,
            "the mails about the cancelled order and its refund are out",
        )


def _no_mail_twice(client: DemoClient) -> None:
    feed = client.call("GET", "/api/notifications?limit=100")
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
        raise Unexpected(f"not true: {what}")
