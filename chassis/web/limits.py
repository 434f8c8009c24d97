"""Rate limits: how often one client may call, as the headers of every answer say.

A client is a user when the request carries a token that holds, else a network address. Each policy
is a token bucket: full, it allows `quota` requests at once; empty, it fills in `window` seconds.
The headers are those of draft-ietf-httpapi-ratelimit-headers. Buckets live in this process, so
several gateways allow that many times as much; what has to be exact is counted elsewhere.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields, validate

from chassis.errors import TooManyRequests

#: Policies of every service: of all requests, and of those that write; and what routes may name.
DEFAULT, WRITES, SIGN_IN, WEBHOOKS = "default", "writes", "sign-in", "webhooks"
_READS = ("GET", "HEAD", "OPTIONS")

#: Seconds that sums of seconds may be off by.
_ROUNDING = 1e-9


class PolicySettings(Schema):
    """`quota` requests in `window` seconds; a quota of 0 sets no limit."""

    quota = fields.Integer(required=True, validate=validate.Range(min=0, max=10**9))
    window = fields.Integer(load_default=60, validate=validate.Range(min=1, max=86400))


class RateSettings(Schema):
    """Section `web.rate_limits`: what one client may do."""

    #: Every request.
    default = fields.Nested(PolicySettings, load_default=lambda: _policy(600))
    #: Those that are no GET, in addition.
    writes = fields.Nested(PolicySettings, load_default=lambda: _policy(120))
    #: Those that try a password or have mail sent, in addition.
    sign_in = fields.Nested(
        PolicySettings, data_key=SIGN_IN, attribute=SIGN_IN, load_default=lambda: _policy(20)
    )
    #: Webhooks, in place of the other limits: a provider sends all of them from a few addresses.
    webhooks = fields.Nested(PolicySettings, load_default=lambda: _policy(6000))
    #: Clients that are remembered; beyond, the one that was away for the longest is forgotten.
    clients = fields.Integer(load_default=20_000, validate=validate.Range(min=1, max=10**6))


class Callers:
    """An extension that tells users apart; without one, everybody is their address."""

    def user_of(self, request: Any) -> str | None:
        """Who is signed in, proven; None for nobody. Raises nothing."""
        raise NotImplementedError

    def authenticate(self, request: Any) -> None:
        """Raise `Unauthenticated` when nobody is, before anything is done for the request."""
        raise NotImplementedError


def policies_of(method: str, limit: str | None) -> tuple[str, ...]:
    """What a request counts for, by its method and by the `limit` that its route names."""
    if limit == WEBHOOKS:
        return (WEBHOOKS,)
    of_method = (DEFAULT,) if method in _READS else (DEFAULT, WRITES)
    return (*of_method, limit) if limit else of_method


class RateLimits:
    """Counts requests by client and policy."""

    def __init__(self, settings: Mapping[str, Any], now: Callable[[], float] = time.monotonic):
        self._policies = {
            name: (policy["quota"], policy["window"])
            for name, policy in settings.items()
            if isinstance(policy, Mapping) and policy["quota"]
        }
        self._most = settings["clients"] * max(1, len(self._policies))
        #: (policy, client): when its bucket will be full, which says how full it is now.
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._now = now

    def take(self, client: str, policies: tuple[str, ...]) -> tuple[list[tuple[str, str]], Any]:
        """Count one request. Returns headers for its answer and a `TooManyRequests` or None.

        A refused request is not counted, or a client that keeps on trying would never get in.
        """
        limits = [(name, *self._policies[name]) for name in policies if name in self._policies]
        if not limits:
            return [], None
        now, full_at = self._now(), self._full_at
        full = [max(full_at.get((name, client), now), now) for name, _, _ in limits]
        wait = max(
            at - now - window + window / quota
            for at, (_, quota, window) in zip(full, limits, strict=True)
        )
        fault = None
        if wait > _ROUNDING:
            fault = TooManyRequests(
                "More requests than this client may send; come back later",
                retry_after=max(1, math.ceil(wait)),
            )
        else:
            full = [
                at + window / quota for at, (_, quota, window) in zip(full, limits, strict=True)
            ]
            for at, (name, _, _) in zip(full, limits, strict=True):
                full_at[name, client] = at
                full_at.move_to_end((name, client))
            while len(full_at) > self._most:
                full_at.popitem(last=False)
        state = ", ".join(_state(*limit, at - now) for at, limit in zip(full, limits, strict=True))
        return [_told(tuple(limits)), ("RateLimit", state)], fault


@lru_cache(maxsize=16)
def _told(limits: tuple[tuple[str, int, int], ...]) -> tuple[str, str]:
    policies = ", ".join(f'"{name}";q={quota};w={window}' for name, quota, window in limits)
    return "RateLimit-Policy", policies


def _state(name: str, quota: int, window: int, until_full: float) -> str:
    remaining = max(0, math.floor(quota - until_full * quota / window + 1e-6))
    return f'"{name}";r={remaining};t={math.ceil(until_full)}'


def _policy(quota: int) -> dict[str, int]:
    return {"quota": quota, "window": 60}
