"""What people read, by what happened: plain text, a subject of one line and a body.

Amounts are written as English readers know them, by the currency (CLDR, as Babel has it).

No text holds an address or a payment method. An order is named by its number, or, where events of
an earlier release tell none, by the first eight characters of its id; both find it.
"""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

from contracts.payments.enums import FailureCode


class Content(NamedTuple):
    """A subject (one line) and a body."""

    subject: str
    body: str


_TEXTS = {
    "user_registered": Content(
        "Welcome to the shop",
        "Your account is ready. Sign in to fill your cart and follow your orders.",
    ),
    "password_changed": Content(
        "Your password was changed",
        "The password for your account has been changed, and you have been signed out on all"
        " devices.\n\nIf this wasn't you, reset your password right away.",
    ),
    "password_reset_requested": Content(
        "Reset your password",
        "Someone, probably you, asked to reset the password for your account.\n\n"
        "If this wasn't you, you can ignore this email. Your password has not been changed.",
    ),
    "email_verification_requested": Content(
        "Confirm your email address",
        "Someone, probably you, gave us this email address.\n\n"
        "If this wasn't you, you can ignore this email. We won't send anything else here.",
    ),
    "email_change_requested": Content(
        "Request to change your email address",
        "Someone, probably you, asked to change the email address of your account. The new address"
        " takes effect as soon as it is confirmed.\n\n"
        "If this wasn't you, change your password now. That cancels the request.",
    ),
    "email_changed": Content(
        "Your email address was changed",
        "The email address of your account has been changed. From now on, we will write to the new"
        " address.\n\nIf this wasn't you, please contact us right away.",
    ),
    "totp_enabled": Content(
        "Sign-in codes are turned on",
        "From now on, signing in to your account takes a code from your authenticator app as well"
        " as your password. Keep your recovery codes in a safe place.\n\n"
        "If this wasn't you, please contact us right away.",
    ),
    "totp_disabled": Content(
        "Sign-in codes are turned off",
        "Signing in to your account no longer takes a code. Your password alone is enough.\n\n"
        "If this wasn't you, change your password and turn sign-in codes back on.",
    ),
    "recovery_code_used": Content(
        "A recovery code was used",
        "Someone, probably you, signed in to your account with a recovery code. You have {left}"
        " left, and you can get new ones at any time.\n\n"
        "If this wasn't you, change your password and get new recovery codes.",
    ),
    "recovery_codes_renewed": Content(
        "You have new recovery codes",
        "Your account has new recovery codes. The old ones no longer work.\n\n"
        "If this wasn't you, change your password and get new recovery codes.",
    ),
    "order_placed": Content(
        "Thank you for your order {order}",
        "Thank you for your order. We have received order {order} for {total}.\n\n"
        "The items are reserved for you. We will prepare them as soon as you have paid.",
    ),
    "order_paid": Content(
        "We are preparing your order {order}",
        "Your order {order} for {total} has been paid. We are getting it ready.",
    ),
    "fulfilment_shipped": Content(
        "Your order {order} is on its way",
        "With this parcel, all of your order {order} is on its way to you.\n\n{lines}{tracking}",
    ),
    "fulfilment_delivered": Content(
        "Your order {order} has been delivered",
        "Your order {order} has been delivered. We hope you enjoy it.",
    ),
    "fulfilment_cancelled": Content(
        "A parcel of your order {order} is packed again",
        "A parcel that we were packing for your order {order} has not left. We will let you know"
        " when its contents are on their way.\n\n{lines}",
    ),
    "order_items_cancelled": Content(
        "Part of your order {order} has been cancelled",
        "We cannot send you these items of your order {order}, and have cancelled them:\n\n"
        "{lines}{refund}",
    ),
    "order_cancelled": Content(
        "Your order {order} has been cancelled",
        "Your order {order} for {total} has been cancelled.\n\n"
        "If you have already paid, your money is on its way back to you.",
    ),
    "payment_succeeded": Content(
        "We have received your payment for order {order}",
        "We have received your payment of {amount} for order {order}. Thank you.",
    ),
    "payment_failed": Content(
        "Your payment for order {order} did not go through",
        "Your payment of {amount} for order {order} did not go through{because}.\n\n"
        "{not_charged}You can try again for as long as the order is open.",
    ),
    "payment_refunded": Content(
        "Your refund for order {order}",
        "We have refunded {amount} for order {order}{because}. In total, we have refunded"
        " {refunded_total} for this order.",
    ),
}

#: About orders that cost nothing.
_FREE = {
    "order_placed": Content(
        "Thank you for your order {order}",
        "Thank you for your order {order}. There is nothing more for you to do.",
    ),
    "order_paid": Content(
        "We are preparing your order {order}",
        "We are getting your order {order} ready.",
    ),
    "order_cancelled": Content(
        "Your order {order} has been cancelled",
        "Your order {order} has been cancelled.",
    ),
}

#: About a parcel beside others that are still to come.
_IN_PART = {
    "fulfilment_shipped": Content(
        "Part of your order {order} is on its way",
        "A part of your order {order} is on its way to you. The rest follows.\n\n{lines}{tracking}",
    ),
    "fulfilment_delivered": Content(
        "Part of your order {order} has been delivered",
        "A part of your order {order} has been delivered. The rest follows.\n\n{lines}",
    ),
}

#: Reasons that a buyer can do something about; providers have many more.
_BECAUSE = {
    FailureCode.CARD_DECLINED: ": the card was declined",
    FailureCode.INSUFFICIENT_FUNDS: ": there were not enough funds on the card",
    FailureCode.AUTHENTICATION_EXPIRED: ": it was not confirmed in time",
    FailureCode.PARTIAL_CAPTURE: (
        ": only part of it could be taken, and that is on its way back to you"
    ),
    FailureCode.ORDER_CANCELLED: ": the order was cancelled",
}


def render(type: str, facts: Mapping[str, Any]) -> Content:
    """The words about an event of `type` with the payload `facts`."""
    words = {
        name: money(facts[name], facts["currency"])
        for name in ("total", "amount", "refunded_total")
        if name in facts
    }
    if "order_id" in facts:
        number = facts.get("number") or facts.get("order_number")
        words["order"] = number or short(facts["order_id"])
    if "left" in facts:
        words["left"] = _count(facts["left"], "recovery code")
    reason = facts.get("failure_code", facts.get("reason"))
    words["because"] = _BECAUSE.get(reason, "")
    in_part = reason == FailureCode.PARTIAL_CAPTURE
    words["not_charged"] = "" if in_part else "You have not been charged. "
    if "lines" in facts:
        words["lines"] = _lines(facts["lines"])
        words["tracking"] = _tracking(facts)
        paid = facts.get("amount")
        words["refund"] = f"\n\n{words['amount']} is on its way back to you." if paid else ""
    subject, body = _content(type, facts)
    return Content(subject.format_map(words), body.format_map(words) + "\n")


def _content(type: str, facts: Mapping[str, Any]) -> Content:
    if type in _FREE and not facts["total"]:
        return _FREE[type]
    if type in _IN_PART and not facts["complete"]:
        return _IN_PART[type]
    return _TEXTS[type]


def _lines(lines: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{line['quantity']} × {line['name']}" for line in lines)


def _tracking(facts: Mapping[str, Any]) -> str:
    """How to follow a parcel, as far as it is known."""
    known = (
        ("Carrier: ", facts.get("carrier")),
        ("Tracking number: ", facts.get("tracking_number")),
        ("", facts.get("tracking_url")),
    )
    told = [label + value for label, value in known if value]
    return "\n\n" + "\n".join(told) if told else ""


def money(amount: Decimal, currency: str) -> str:
    """An amount as English readers write it: "€79.96", "¥2,850", "CHF 5.00". Nothing is rounded
    away."""
    # Babel does not put the space of CLDR's currencySpacing after a code of letters.
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
    return _way("Choose a new password", token, link, _count(seconds // 60, "minute"))


def way_to_verify(token: str, link: str | None) -> str:
    """The same of a mail that confirms an address."""
    return _way("Confirm your email address", token, link, "a day")


def _count(number: int, thing: str) -> str:
    """ "1 minute", "2 minutes", "no minutes"."""
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _way(what: str, token: str, link: str | None, time: str) -> str:
    if link:
        way = f"{what} here, within {time}:\n\n{link.replace('{token}', token)}"
    else:
        way = f"Use this code within {time}; it works once:\n\n{token}"
    return f"\n{way}\n"


def short(order_id: uuid.UUID) -> str:
    """What names an order whose number is not known: the first eight characters of its id."""
    return order_id.hex[:8].upper()
