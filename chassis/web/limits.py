"""Rate limits: how often one client may call, told in the headers of every answer.

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
from typing import Any

from marshmallow import Schema, fields, validate

from chassis.errors import TooManyRequests

#: Policies of every service; routes may name others, which then count in addition.
DEFAULT, WRITES, SIGN_IN = "default", "writes", "sign-in"


class PolicySettings(Schema):
    """`quota` requests in `window` seconds; a quota of 0 sets no limit."""

    quota = fields.Integer(required=True, validate=validate.Range(min=0, max=10**9))
    window = fields.Integer(load_default=60, validate=validate.Range(min=1, max=86400))


class RateSettings(Schema):
    """Section `web.rate_limits`: what one client may do."""

    #: Every request.
    default = fields.Nested(PolicySettings, load_default=lambda: _policy(60_000))
    #: Those that are no GET, in addition.
    writes = fields.Nested(PolicySettings, load_default=lambda: _policy(30_000))
    #: Those that try a password or have mail sent, in addition.
    sign_in = fields.Nested(
        PolicySettings, data_key=SIGN_IN, attribute=SIGN_IN, load_default=lambda: _policy(6_000)
    )
    #: Clients that are remembered; beyond, the one that was away for the longest is forgotten.
    clients = fields.Integer(load_default=20_000, validate=validate.Range(min=1, max=10**6))


class Callers:
    """An extension that tells users apart; without one, everybody is their address."""

    def user_of(self, request: Any) -> str | None:
        """Who is signed in, proven; None for nobody. Raises nothing."""
        raise NotImplementedError


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
        now = self._now()
        waits = [self._wait(client, limit, now) for limit in limits]
        fault = None
        if max(waits) > 0:
            fault = TooManyRequests(
                "More requests than this client may send; come back later",
                retry_after=max(1, math.ceil(max(waits))),
            )
        else:
            for name, quota, window in limits:
                key = (name, client)
                self._full_at[key] = max(self._full_at.get(key, now), now) + window / quota
                self._full_at.move_to_end(key)
            while len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        policy = ", ".join(f'"{name}";q={quota};w={window}' for name, quota, window in limits)
        state = ", ".join(self._state(client, limit, now) for limit in limits)
        return [("RateLimit-Policy", policy), ("RateLimit", state)], fault

    def _wait(self, client: str, limit: tuple[str, int, int], now: float) -> float:
        """Seconds until the bucket holds one request; 0 or less when it does."""
        name, quota, window = limit
        return self._full_at.get((name, client), now) - now - window + window / quota - 1e-9

    def _state(self, client: str, limit: tuple[str, int, int], now: float) -> str:
        name, quota, window = limit
        until_full = max(0.0, self._full_at.get((name, client), now) - now)
        remaining = max(0, math.floor(quota - until_full * quota / window + 1e-6))
        return f'"{name}";r={remaining};t={math.ceil(until_full)}'


def _policy(quota: int) -> dict[str, int]:
    return {"quota": quota, "window": 60}
