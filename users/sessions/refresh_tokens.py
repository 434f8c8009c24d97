"""Refresh tokens: how they are made, and what one is worth when it comes back.

A token is used once and answered with its successor (RFC 9700). Only SHA-256 digests are stored.
The successor is an HMAC of the token with a salt of 256 random bits, so that who lost the answer
gets the *same* successor again instead of a second one: a family never has two living members,
and a thief's copy shows as soon as both use theirs. Neither the database alone nor a used token
alone is enough to make one.
"""

import base64
import datetime
import hashlib
import hmac
import secrets
from enum import Enum


class Worth(Enum):
    """What a presented token is good for."""

    FRESH = "its turn: exchange it for its successor"
    REPEATED = "used a moment ago: the answer may have been lost, give it again"
    EXPIRED = "too old: sign in again"
    STOLEN = "used before: somebody has a copy, end the family"


def new_salt() -> bytes:
    """What decides the successor of a token, made when the token is used."""
    return secrets.token_bytes(32)


def successor(token: str, salt: bytes) -> str:
    """The token that follows `token`, always the same for the same salt."""
    raw = hmac.digest(salt, token.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def judge(
    now: datetime.datetime,
    expires_at: datetime.datetime,
    used_at: datetime.datetime | None,
    is_successor_used: bool,
    grace: datetime.timedelta,
) -> Worth:
    """What a known token is worth at `now`; `grace` is how long a used one may be repeated."""
    if now >= expires_at:
        return Worth.EXPIRED
    if used_at is None:
        return Worth.FRESH
    if is_successor_used or now - used_at > grace:
        return Worth.STOLEN
    return Worth.REPEATED
