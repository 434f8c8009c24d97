"""What people read, by what happened: plain text, a subject of one line and a body.

No text holds an address or a payment method. An order is named by its number, or, where that is
not known (payments knows none), by the first eight characters of its id; both find it.
"""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A subject (one line) and a body."""

    subject: str
    body: str


_TEXTS = {
    "user_registered": Message(
        "Welcome to the shop",
        "Your account is ready. Sign in to fill your cart and to follow your orders.",
    ),
    "password_changed": Message(
        "Your password was changed",
        "The password of your account was changed, and all devices were signed out.\n\n"
        "If it was not you, ask for a new password at once.",
    ),
    "password_reset_requested": Message(
        "A new password for your account",
        "Somebody, probably you, has asked for a new password for your account.\n\n"
        "If it was not you, ignore this mail: nothing has changed.",
    ),
    "order_placed": Message(
        "Order {order}: we have it",
        "Thank you for order {order} over {total}.\n\n"
        "Its goods are reserved for you. We start on it as soon as it is paid.",
    ),
    "order_paid": Message(
        "Order {order}: paid",
        "Order {order} over {total} is paid, and we are getting it ready.",
    ),
    "order_shipped": Message(
        "Order {order}: on its way",
        "Order {order} has left us and is on its way to you.",
    ),
    "order_delivered": Message(
        "Order {order}: delivered",
        "Order {order} has been delivered. We hope you like it.",
    ),
    "order_cancelled": Message(
        "Order {order}: cancelled",
        "Order {order} over {total} has been cancelled.\n\n"
        "If you have paid for it, your money is on its way back.",
    ),
    "payment_succeeded": Message(
        "Payment for order {order}: received",
        "We have received your payment of {amount} for order {order}.",
    ),
    "payment_failed": Message(
        "Payment for order {order}: not successful",
        "Your payment of {amount} for order {order} did not go through{because}.\n\n"
        "We keep nothing of it. While the order is open you can pay again.",
    ),
    "payment_refunded": Message(
        "Refund for order {order}",
        "We have given {amount} back for order {order}, {refunded_total} in all.",
    ),
}

#: Reasons that a buyer can do something about; providers have many more.
_BECAUSE = {
    "card_declined": ": the card was declined",
    "insufficient_funds": ": the card has not enough funds",
    "authentication_expired": ": it was not confirmed in time",
    "partial_capture": ": only a part of it could be taken, and that is on its way back",
}


def render(type: str, facts: Mapping[str, Any]) -> Message:
    """The message about an event of `type` with the payload `facts`."""
    currency = facts.get("currency")
    words = {
        name: f"{facts[name]} {currency}"
        for name in ("total", "amount", "refunded_total")
        if name in facts
    }
    if "order_id" in facts:
        words["order"] = facts.get("number") or short(facts["order_id"])
    words["because"] = _BECAUSE.get(facts.get("failure_code"), "")
    subject, body = _TEXTS[type]
    return Message(subject.format_map(words), body.format_map(words) + "\n")


def way_to_reset(token: str, link: str | None) -> str:
    """How a mail about a new password ends; `link` is the shop's page with "{token}" in it."""
    if link:
        way = f"Choose one here, within half an hour:\n\n{link.replace('{token}', token)}"
    else:
        way = f"This code is good for half an hour, once:\n\n{token}"
    return f"\n{way}\n"


def short(order_id: uuid.UUID) -> str:
    """What names an order whose number is not known: the first eight characters of its id."""
    return order_id.hex[:8].upper()
