"""Opaque tokens, of which only digests are stored."""

import hashlib
import secrets


def new() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token, its SHA-256: enough to recognise it."""
    return hashlib.sha256(token.encode()).digest()
