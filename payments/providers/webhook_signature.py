"""Webhooks that are signed as Stripe signs them: an HMAC over the time and the raw body.

https://docs.stripe.com/webhooks#verify-manually; the simulator signs the same way, and needs no
Stripe for it, whose library takes 22 MB.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from payments.errors import WebhookRefused

#: Seconds by which the sender's clock and ours may differ, either way, its delivery included.
TOLERANCE = 300
#: Seconds for which an event may be sent again: Stripe lets one resend those of 30 days.
#: https://docs.stripe.com/webhooks#retries
RESENT = 30 * 86_400


class _Signed(NamedTuple):
    """What the header says: when (seconds since 1970), and what comes out, by one secret each."""

    at: int
    signatures: tuple[str, ...]


def sign(body: str, secret: str) -> str:
    """The header for `body`, of now."""
    at = int(time.time())
    return f"t={at},v1={_signature(at, body, secret)}"


def read(body: str, signature: str | None, secrets: Iterable[str]) -> dict[str, Any]:
    """The JSON object in `body`, signed with one of `secrets` within the last minutes. What it says
    about its own age (`created`, seconds since 1970) has to be possible as well.

    Raises `WebhookRefused`, with a reason for our own log.
    """
    if not signature:
        raise WebhookRefused("unsigned")
    signed = _parse(signature)
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in body)  # nothing else was signed
    if not (signed and is_text and any(_holds(signed, body, each) for each in secrets if each)):
        raise WebhookRefused("wrong signature")
    _check_age(signed.at, TOLERANCE)
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise WebhookRefused("unreadable")
    created = value.get("created", signed.at)
    if not isinstance(created, int) or isinstance(created, bool):
        raise WebhookRefused("unreadable")
    _check_age(created, RESENT + TOLERANCE)
    return value


def _check_age(at: int, most: int) -> None:
    age = time.time() - at
    if age > most:
        raise WebhookRefused("stale")
    if age < -TOLERANCE:
        raise WebhookRefused("ahead")


def _parse(header: str) -> _Signed | None:
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not re.fullmatch("[0-9]{1,15}", times[0]):
        return None
    return _Signed(int(times[0]), tuple(value for name, _, value in parts if name == "v1"))


def _holds(signed: _Signed, body: str, secret: str) -> bool:
    expected = _signature(signed.at, body, secret).encode()
    return any(
        hmac.compare_digest(expected, given.encode(errors="replace")) for given in signed.signatures
    )


def _signature(at: int, body: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
