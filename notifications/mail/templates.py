"""What people read, by what happened: plain text, a subject of one line and a body.

Amounts are written as English readers know them, by the currency (CLDR, as Babel has it).

No text holds an address or a payment method. An order is named by its number, or, where events of
an earlier release tell none, by the first eight characters of its id; both find it.
"""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol


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
        "The password of your account was changed, and you were signed out on all devices.\n\n"
        "If this was not you, reset your password at once.",
    ),
    "password_reset_requested": Message(
        "A new password for your account",
        "Someone, probably you, has asked to reset the password of your account.\n\n"
        "If this was not you, you can ignore this e-mail: nothing has changed.",
    ),
    "email_verification_requested": Message(
        "Confirm your e-mail address",
        "Someone, probably you, has given us this e-mail address.\n\n"
        "If this was not you, you can ignore this e-mail: we will send nothing else here.",
    ),
    "email_change_requested": Message(
        "Another e-mail address for your account",
        "Someone, probably you, has asked to change the e-mail address of your account. The new"
        " address takes effect as soon as it is confirmed.\n\n"
        "If this was not you, change your password now: that cancels the request.",
    ),
    "email_changed": Message(
        "Your e-mail address was changed",
        "The e-mail address of your account has been changed. We will write to the new address from"
        " now on.\n\nIf this was not you, please contact us right away.",
    ),
    "totp_enabled": Message(
        "Sign-in codes are turned on",
        "From now on, signing in to your account takes a code from your authenticator app as well"
        " as your password. Keep your recovery codes somewhere safe.\n\n"
        "If this was not you, please contact us right away.",
    ),
    "totp_disabled": Message(
        "Sign-in codes are turned off",
        "Signing in to your account no longer takes a code: the password alone is enough.\n\n"
        "If this was not you, change your password and turn sign-in codes on again.",
    ),
    "recovery_code_used": Message(
        "A recovery code was used",
        "Someone, probably you, has signed in to your account with a recovery code. You have {left}"
        " recovery codes left. You can get new ones at any time.\n\n"
        "If this was not you, change your password and get new recovery codes.",
    ),
    "recovery_codes_renewed": Message(
        "Your recovery codes were renewed",
        "Your account has new recovery codes. The ones you had before no longer work.\n\n"
        "If this was not you, change your password and get new recovery codes.",
    ),
    "order_placed": Message(
        "Order {order}: we have it",
        "Thank you for your order. We have received order {order} for {total}.\n\n"
        "The items are reserved for you. We will start preparing them as soon as you have paid.",
    ),
    "order_paid": Message(
        "Order {order}: paid",
        "We have received {total} for order {order}, and we are getting it ready.",
    ),
    "order_shipped": Message(
        "Order {order}: on its way",
        "Order {order} has been shipped and is on its way to you.",
    ),
    "order_delivered": Message(
        "Order {order}: delivered",
        "Order {order} has been delivered. We hope you enjoy it.",
    ),
    "order_cancelled": Message(
        "Order {order}: cancelled",
        "Order {order} for {total} has been cancelled.\n\n"
        "If you have already paid, your money is on its way back to you.",
    ),
    "payment_succeeded": Message(
        "Payment for order {order}: received",
        "We have received your payment of {amount} for order {order}. Thank you.",
    ),
    "payment_failed": Message(
        "Payment for order {order}: not successful",
        "Your payment of {amount} for order {order} did not go through{because}.\n\n"
        "{not_charged}You can try again for as long as the order is open.",
    ),
    "payment_refunded": Message(
        "Refund for order {order}",
        "We have refunded {amount} for order {order}{because}. "
        "That makes {refunded_total} refunded for this order in total.",
    ),
}

#: About orders that cost nothing.
_FREE = {
    "order_placed": Message(
        "Order {order}: we have it",
        "Thank you for your order {order}. There is nothing more for you to do.",
    ),
    "order_paid": Message(
        "Order {order}: in preparation",
        "We are getting order {order} ready.",
    ),
    "order_cancelled": Message(
        "Order {order}: cancelled",
        "Order {order} has been cancelled.",
    ),
}

#: Reasons that a buyer can do something about; providers have many more.
_BECAUSE = {
    "card_declined": ": the card was declined",
    "insufficient_funds": ": there are not enough funds on the card",
    "authentication_expired": ": it was not confirmed in time",
    "partial_capture": ": only part of it could be taken, and that is on its way back to you",
    "order_cancelled": ": the order was cancelled",
}


def render(type: str, facts: Mapping[str, Any]) -> Message:
    """The message about an event of `type` with the payload `facts`."""
    currency = facts.get("currency")
    words = {
        name: money(facts[name], currency)
        for name in ("total", "amount", "refunded_total")
        if name in facts
    }
    if "order_id" in facts:
        number = facts.get("number") or facts.get("order_number")
        words["order"] = number or short(facts["order_id"])
    words["left"] = facts.get("left")
    reason = facts.get("failure_code", facts.get("reason"))
    words["because"] = _BECAUSE.get(reason, "")
    words["not_charged"] = "" if reason == "partial_capture" else "You have not been charged. "
    texts = _FREE if type in _FREE and not facts["total"] else _TEXTS
    subject, body = texts[type]
    return Message(subject.format_map(words), body.format_map(words) + "\n")


def money(amount: Decimal, currency: str) -> str:
    """An amount as English readers write it: "€79.96", "¥2,850", "CHF 5.00". Nothing is rounded
    away."""
    # What letters are set apart by (CLDR's currencySpacing) is not done by Babel.
    is_spaced = get_currency_symbol(currency, locale="en")[-1].isalpha()
    # Forints are written without decimals; where there are some, with both.
    is_usual = get_currency_precision(currency) or amount == amount.to_integral_value()
    return format_currency(
        amount,
        currency,
        "¤\u00a0#,##0.00" if is_spaced else None,
        locale="en",
        currency_digits=bool(is_usual),
        decimal_quantization=False,
    )


def way_to_reset(token: str, link: str | None, seconds: int) -> str:
    """How a mail about a new password ends; `link` is the shop's page with "{token}" in it, and the
    token holds for so many seconds from the request on."""
    return _way("Choose a new password", token, link, f"{seconds // 60} minutes")


def way_to_verify(token: str, link: str | None) -> str:
    """The same of a mail that confirms an address."""
    return _way("Confirm it", token, link, "a day")


def _way(what: str, token: str, link: str | None, time: str) -> str:
    if link:
        way = f"{what} here, within {time}:\n\n{link.replace('{token}', token)}"
    else:
        way = f"Use this code within {time}; it works once:\n\n{token}"
    return f"\n{way}\n"


def short(order_id: uuid.UUID) -> str:
    """What names an order whose number is not known: the first eight characters of its id."""
    return order_id.hex[:8].upper()
