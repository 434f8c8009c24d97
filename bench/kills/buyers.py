"""Buyers who insist: each intent is sent until it is answered, under one key, some times at most.

Address line 1 carries the intent, so that the books tell which orders somebody wanted once and got
twice.
"""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any

from bench.people import Buyer
from bench.traffic import Request

#: Seconds for an answer; how often an intent is sent, and by how much each pause is longer than the
#: one before: twenty seconds in all, so that a broker may start meanwhile.
PATIENCE, TRIES, PAUSE = 8, 12, 0.25
#: Lines of an order.
_LINES = 3


class Buyers:
    """As many threads as `people`, while `with` lasts; it ends when all have got an answer or given
    up.

    `placed` are the ids of acknowledged orders by intent; `counts` says how many intents were
    placed, refused (sold out) or given up.
    """

    def __init__(self, port: int, people: Sequence[Buyer], products: Sequence[int]):
        self.placed: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._port = port
        self._products = products
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._buy, args=(number, buyer), daemon=True)
            for number, buyer in enumerate(people)
        ]

    def __enter__(self) -> "Buyers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def await_placed(self, more: int, patience: float) -> None:
        """Return when so many more orders have been acknowledged, or after `patience` seconds."""
        wanted, until = self.counts["placed"] + more, time.monotonic() + patience
        while self.counts["placed"] < wanted and time.monotonic() < until:
            time.sleep(0.05)

    def _buy(self, number: int, buyer: Buyer) -> None:
        chance = random.Random(number)  # noqa: S311
        line = Line(self._port)
        while not self._over.is_set():
            intent = str(uuid.uuid4())
            status, body = self._insist(line, self._order(buyer, intent, chance))
            with self._lock:
                if status == 201:
                    self.placed[intent] = body["id"]
                self.counts[_OUTCOMES.get(status, "refused")] += 1
        line.close()

    def _order(self, buyer: Buyer, intent: str, chance: random.Random) -> Request:
        items = [
            {"product_id": product, "quantity": chance.randint(1, 3)}
            for product in chance.sample(self._products, _LINES)
        ]
        address = buyer.address | {"line1": intent}
        body = {"items": items, "shipping_address": address}
        return Request("/api/orders", "POST", body, buyer.token, key=intent)

    def _insist(self, line: "Line", order: Request) -> tuple[int | None, Any]:
        for number in range(TRIES):
            status, body = line.ask(order)
            if status is not None and status < 500:
                return status, body
            time.sleep(PAUSE * (number + 1))
        return None, None


_OUTCOMES = {201: "placed", None: "given up"}


class Line:
    """A connection that is kept as long as it answers."""

    def __init__(self, port: int):
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, request: Request) -> tuple[int | None, Any]:
        """Status and JSON of the answer; None when there was none."""
        try:
            self._connection.request(
                request.method, request.path, request.payload(), request.headers()
            )
            answer = self._connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if answer.status == 201 else text
        except (OSError, HTTPException, ValueError):
            self.close()
            return None, None

    def close(self) -> None:
        self._connection.close()
