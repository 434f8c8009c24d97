"""A payment provider that does as it is told, and keeps books of its own."""

from dataclasses import replace
from decimal import Decimal

from payments.errors import ProviderTimeout
from payments.providers.port import ChargeReport, RefundReport


class Crash(Exception):
    """Our process ends here: nobody handles this."""


class Provider:
    """`charging` and `refunding` say what becomes of the next call: an outcome that is answered,
    `lost` (done, but the answer never comes), `never` (does not arrive), or our own crash.

    It fails the walk when it is asked to give back more than it took, or to charge a key twice.
    """

    name = "model"
    test_mode = True

    def __init__(self):
        self.charging = self.refunding = None
        self.charges: dict[str, ChargeReport] = {}
        self.refunds: dict[str, tuple[str, RefundReport, Decimal]] = {}

    def check(self, method, amount, currency):
        """All methods will do."""

    def create(self, request, note):
        script = self.charging
        if script == "never":
            raise ProviderTimeout
        if script == "crash_before":
            raise Crash
        assert request.key not in self.charges
        done = "succeeded" if script in ("lost", "crash_after") else script
        self.charges[request.key] = ChargeReport(
            status=done,
            amount=request.amount,
            currency=request.currency,
            reference=f"ref-{request.key}",
            failure_code="card_declined" if done == "failed" else None,
        )
        if script == "lost":
            raise ProviderTimeout
        if script == "crash_after":
            raise Crash
        return self.charges[request.key]

    def look_up(self, charge):
        return self.charges.get(charge.key)

    def cancel(self, charge):
        if self.charging == "never":
            raise ProviderTimeout
        report = self.charges.get(charge.key)
        if report is not None and report.status == "requires_action":
            report = self.change(charge.key, "failed")
        return report

    def change(self, key, status):
        """The buyer has acted, or the bank: what it will tell from now on."""
        self.charges[key] = replace(self.charges[key], status=status)
        return self.charges[key]

    def refund(self, request):
        if request.key not in self.refunds:
            if self.refunding == "never":
                raise ProviderTimeout
            self._give_back(request)
        if self.refunding in ("lost", "never"):
            raise ProviderTimeout
        return self.refunds[request.key][1]

    def _give_back(self, request):
        if self.refunding == "refused":
            report = RefundReport(done=False, failure_code="refused")
        else:
            report = RefundReport(done=True, reference=f"back-{request.key}")
        self.refunds[request.key] = (request.reference, report, request.amount)
        (charge,) = (one for one in self.charges.values() if one.reference == request.reference)
        assert charge.status == "succeeded"
        assert self.given_back(request.reference) <= charge.amount

    def given_back(self, reference):
        """How much of a charge it has given back."""
        given = (
            amount
            for where, report, amount in self.refunds.values()
            if where == reference and report.done
        )
        return sum(given, Decimal(0))
