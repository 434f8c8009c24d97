"""What `users` is asked, what it answers, and what it publishes, by capability."""

from users.schemas import (
    accounts,
    addresses,
    audit,
    common,
    events,
    passwords,
    second_factor,
    sessions,
)

__all__ = [
    "accounts",
    "addresses",
    "audit",
    "common",
    "events",
    "passwords",
    "second_factor",
    "sessions",
]
