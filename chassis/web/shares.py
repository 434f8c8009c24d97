"""Something there is only so much of, and no client gets all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chassis.web.errors import Overloaded
from chassis.web.limits import SIGN_IN

#: The part of the whole that is kept for clients who have nothing yet.
_RESERVE = 10


class Shares:
    """`limit` places (or bytes), of which one client gets at most `share`.

    The last tenth goes only to clients that have none yet, so that a few who take all they can
    leave something for the others. A client is an address or an IPv6 network
    (`chassis.web.client_ip`); None is one that can't be told from others, and has no share.
    """

    def __init__(self, limit: int, share: int):
        self.limit = limit
        self._share = min(share, limit)
        self._open = limit - limit // _RESERVE
        self._taken: Counter[str] = Counter()
        #: How much is taken now.
        self.total = 0

    def take(self, client: str | None, amount: int = 1) -> bool:
        """Take so much for the client; False when that is more than there is for it."""
        total = self.total + amount
        if client is None:
            if total > self.limit:
                return False
        else:
            held = self._taken.get(client, 0)
            if held + amount > self._share or total > (self._open if held else self.limit):
                return False
            self._taken[client] = held + amount
        self.total = total
        return True

    def give_back(self, client: str | None, amount: int = 1) -> None:
        """Give back what `take` took."""
        self.total -= amount
        if client is not None and amount:
            self._taken[client] -= amount
            if self._taken[client] <= 0:
                del self._taken[client]


class RequestPlaces:
    """How many requests may be under way at the same time, and of these how many that try
    passwords."""

    def __init__(self, limits: Mapping[str, Any]):
        self.requests = Shares(limits["max_requests"], limits["client_requests"])
        self.sign_ins = Shares(limits["max_sign_ins"], limits["client_sign_ins"])

    @contextmanager
    def place(self, client: str, limit: str | None) -> Iterator[None]:
        """A place for a request to a route with that rate `limit`; raises `Overloaded` when there
        is none for this client."""
        kinds = [self.requests, self.sign_ins] if limit == SIGN_IN else [self.requests]
        taken = []
        try:
            for places in kinds:
                if not places.take(client):
                    raise Overloaded(retry_after=1)
                taken.append(places)
            yield
        finally:
            for places in taken:
                places.give_back(client)
