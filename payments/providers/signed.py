"""Webhooks that are signed as Stripe signs them: an HMAC over the time and the raw body.

https://docs.stripe.com/webhooks#verify-manually; the simulator signs the same way.
"""

import json
from collections.abc import Iterable
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from payments.errors import NoticeRefused

#: Seconds for which a signature holds.
TOLERANCE = 300


def sign(body: str, secret: str) -> str:
    """The header for `body`, of now."""
    return WebhookSignature.generate_signature_header(body, secret)


def read(body: str, signature: str | None, secrets: Iterable[str]) -> dict[str, Any]:
    """The JSON object in `body`, signed with one of `secrets` within the last minutes.

    Raises `NoticeRefused`, with a reason for our own log.
    """
    if not signature:
        raise NoticeRefused("unsigned")
    if not any(_holds(body, signature, secret, None) for secret in secrets):
        raise NoticeRefused("wrong signature")
    if not any(_holds(body, signature, secret, TOLERANCE) for secret in secrets):
        raise NoticeRefused("stale")
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise NoticeRefused("unreadable")
    return value


def _holds(body: str, signature: str, secret: str, tolerance: int | None) -> bool:
    try:
        return WebhookSignature.verify_header(body, signature, secret, tolerance)
    except (SignatureVerificationError, TypeError, ValueError):  # no ASCII, no number
        return False
