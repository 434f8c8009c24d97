"""Providers whose calls are counted, and appear in traces."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from chassis.errors import Fault
from chassis.external import Call, ExternalCall
from contracts.payments.enums import Status
from contracts.payments.methods import PaymentMethod
from payments.errors import ProviderTimeout
from payments.providers.port import (
    ChargeReport,
    ChargeRequest,
    KnownCharge,
    Provider,
    ProviderTransaction,
    RefundReport,
    RefundRequest,
    WebhookEvent,
)


class Instrumented:
    """A `Provider` each of whose calls that may leave this process is an `external_call`: who was
    asked for what kind of thing; no amount, no token, no reference.

    The outcome is ok, declined (an answer that says no), refused (the call itself), no_answer, or
    failed.
    """

    def __init__(self, provider: Provider, external_call: ExternalCall):
        self.name = provider.name
        self.test_mode = provider.test_mode
        self._provider = provider
        self._external_call = external_call

    def check(self, method: PaymentMethod, amount: Decimal, currency: str) -> None:
        self._provider.check(method, amount, currency)  # asks nobody

    def create(self, request: ChargeRequest, note: Callable[[str], None]) -> ChargeReport:
        with self._asking("charge") as call:
            report = self._provider.create(request, note)
            call.outcome = _declined_if(report.status == Status.FAILED)
            return report

    def look_up(self, charge: KnownCharge) -> ChargeReport | None:
        with self._asking("look_up"):
            return self._provider.look_up(charge)

    def cancel(self, charge: KnownCharge) -> ChargeReport | None:
        with self._asking("cancel"):
            return self._provider.cancel(charge)

    def refund(self, request: RefundRequest) -> RefundReport:
        with self._asking("refund") as call:
            report = self._provider.refund(request)
            call.outcome = _declined_if(not report.done)
            return report

    def read_webhook(self, body: str, signature: str | None) -> WebhookEvent:
        return self._provider.read_webhook(body, signature)  # asks nobody

    def transactions_of(self, charge: str) -> Iterable[ProviderTransaction]:
        with self._asking("movements_of"):
            return list(self._provider.transactions_of(charge))

    def transactions(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> Iterator[ProviderTransaction]:
        """One call, however many pages; what is done between them is in its time, so it is no part
        of a trace."""
        with self._asking("movements", is_traced=False):
            yield from self._provider.transactions(since, until)

    @contextmanager
    def _asking(self, operation: str, is_traced: bool = True) -> Iterator[Call]:
        about = {"payment.provider": self.name, "payment.operation": operation}
        with self._external_call(self.name, operation, about if is_traced else None) as call:
            try:
                yield call
            except ProviderTimeout:
                call.outcome = "no_answer"
                raise
            except Fault:
                call.outcome = "refused"
                raise


def _declined_if(is_declined: bool) -> str | None:
    return "declined" if is_declined else None
