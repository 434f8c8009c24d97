"""What the buyers were told: every acknowledged answer, to be held against the books."""

import collections
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Journal:
    """Written by all buyers at once.

    Orders, payments and parcels are by their key: the ids that were ever answered under it. Refunds
    are by payment and key. `surprises` are answers that the contract does not have in that place.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Parcels, by their key.
    parcels: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    adjusted: set[str] = field(default_factory=set)
    doubled: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    #: Acknowledged answers and failed tries, by whole second since the beginning.
    answered: collections.Counter[int] = field(default_factory=collections.Counter)
    failed: collections.Counter[int] = field(default_factory=collections.Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def note_answer(self, status: int | None) -> None:
        """One try of one call: its status, None when there was no answer."""
        with self._lock:
            told = status is not None and status < 500
            (self.answered if told else self.failed)[int(self.seconds)] += 1
            self.counts["calls"] += 1

    def note_order(self, key: str, order: dict[str, Any]) -> None:
        with self._lock:
            self._one(self.orders, key, order)

    def note_payment(self, key: str, payment: dict[str, Any]) -> None:
        with self._lock:
            self._one(self.payments, key, payment)

    def note_parcel(self, key: str, parcel: dict[str, Any]) -> None:
        with self._lock:
            self._one(self.parcels, key, parcel)

    def note_refund(self, key: str, payment_id: str, amount: str) -> None:
        with self._lock:
            self.refunds[key] = (payment_id, amount)

    def note(self, what: set[str], subject: str) -> None:
        with self._lock:
            what.add(subject)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def surprise(self, what: str) -> None:
        with self._lock:
            self.surprises.append(what)

    def _one(self, known: dict[str, dict[str, Any]], key: str, resource: dict[str, Any]) -> None:
        first = known.setdefault(key, resource)
        if first["id"] != resource["id"]:
            self.doubled.append(f"key {key} made {first['id']} and {resource['id']}")
        known[key] = resource  # the latest answer: it says most
