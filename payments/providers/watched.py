"""Providers whose calls are counted, and appear in traces."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from chassis.errors import Fault
from payments.errors import ProviderTimeout
from payments.lifecycle import Status
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

#: `note(provider, operation, outcome, seconds)`.
Note = Callable[[str, str, str, float], None]

#: `with outside("stripe charge", {...})`: a call to somebody outside (`chassis.tracing`).
Outside = Callable[[str, Mapping[str, Any]], AbstractContextManager[None]]


class Watched:
    """A `Provider` that tells `note` of each call that may leave this process, and makes it within
    `outside`: who was asked for what kind of thing; no amount, no token, no reference.

    The outcome is ok, declined (an answer that says no), refused (the call itself), no_answer, or
    failed.
    """

    def __init__(self, provider: Provider, note: Note, outside: Outside):
        self.name = provider.name
        self.test_mode = provider.test_mode
        self._provider = provider
        self._note = note
        self._outside = outside

    def check(self, method: Method) -> None:
        self._provider.check(method)  # asks nobody

    def create(self, order: ChargeOrder, note: Callable[[str], None]) -> ChargeReport:
        with self._asking("charge") as call:
            report = self._provider.create(order, note)
            call.is_declined = report.status == Status.FAILED
            return report

    def look_up(self, charge: Known) -> ChargeReport | None:
        with self._asking("look_up"):
            return self._provider.look_up(charge)

    def cancel(self, charge: Known) -> ChargeReport | None:
        with self._asking("cancel"):
            return self._provider.cancel(charge)

    def refund(self, order: RefundOrder) -> RefundReport:
        with self._asking("refund") as call:
            report = self._provider.refund(order)
            call.is_declined = not report.done
            return report

    def read_notice(self, body: str, signature: str | None) -> Notice:
        return self._provider.read_notice(body, signature)  # asks nobody

    def movements_of(self, charge: str) -> Iterable[Movement]:
        with self._asking("movements_of"):
            return list(self._provider.movements_of(charge))

    def movements(self, since: datetime.datetime, until: datetime.datetime) -> Iterator[Movement]:
        """One call, however many pages; what is done between them is in its time, so it is no part
        of a trace."""
        with self._counted("movements"):
            yield from self._provider.movements(since, until)

    @contextmanager
    def _asking(self, operation: str) -> Iterator[SimpleNamespace]:
        about = {"payment.provider": self.name, "payment.operation": operation}
        with self._outside(f"{self.name} {operation}", about), self._counted(operation) as call:
            yield call

    @contextmanager
    def _counted(self, operation: str) -> Iterator[SimpleNamespace]:
        call, outcome, began = SimpleNamespace(is_declined=False), "failed", perf_counter()
        try:
            yield call
            outcome = "declined" if call.is_declined else "ok"
        except ProviderTimeout:
            outcome = "no_answer"
            raise
        except Fault:
            outcome = "refused"
            raise
        finally:
            self._note(self.name, operation, outcome, perf_counter() - began)
