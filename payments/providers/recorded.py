"""Calls to providers as they appear in traces: who was asked for what kind of thing, no more."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from payments.methods import Method
from payments.providers.port import (
    ChargeOrder,
    ChargeReport,
    Known,
    Movement,
    Notice,
    Provider,
    RefundOrder,
    RefundReport,
)

#: `with outside("stripe create", {...})`: a call to somebody outside (`chassis.tracing`).
Outside = Callable[[str, Mapping[str, Any]], AbstractContextManager[None]]


class Recorded:
    """A provider whose calls `outside` records: no amount, no token, no reference."""

    def __init__(self, provider: Provider, outside: Outside):
        self.name = provider.name
        self._provider = provider
        self._outside = outside

    def check(self, method: Method) -> None:
        self._provider.check(method)  # asks nobody

    def create(self, order: ChargeOrder, note: Callable[[str], None]) -> ChargeReport:
        with self._asking("create"):
            return self._provider.create(order, note)

    def look_up(self, charge: Known) -> ChargeReport | None:
        with self._asking("look_up"):
            return self._provider.look_up(charge)

    def refund(self, order: RefundOrder) -> RefundReport:
        with self._asking("refund"):
            return self._provider.refund(order)

    def read_notice(self, body: str, signature: str | None) -> Notice:
        return self._provider.read_notice(body, signature)  # asks nobody

    def movements_of(self, charge: str) -> Iterable[Movement]:
        with self._asking("movements_of"):
            return self._provider.movements_of(charge)

    def movements(self, since: datetime.datetime, until: datetime.datetime) -> Iterable[Movement]:
        return self._provider.movements(since, until)  # asks while it is read, page by page

    def _asking(self, operation: str) -> AbstractContextManager[None]:
        about = {"payment.provider": self.name, "payment.operation": operation}
        return self._outside(f"{self.name} {operation}", about)
