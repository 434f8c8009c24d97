"""The Nameko service `payments`."""

import datetime
import uuid
from decimal import Decimal
from functools import cached_property
from typing import Any

from chassis.clock import Clock, Now
from chassis.config import Settings
from chassis.database import Database, Handle
from chassis.events import EventOutbox, event_handler
from chassis.events.outbox import Recorder
from chassis.external import ExternalCall, ExternalCalls
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.metrics.custom import DatabaseGauges, Outcome
from chassis.origin import Network
from chassis.rpc import rpc
from chassis.service import Service
from chassis.staff import require_admin, require_staff
from chassis.timers import timer
from contracts.orders.events import RefundDue
from contracts.payments import answers, requests
from contracts.payments.enums import FailureCode, Problem
from contracts.payments.events import EVENTS
from payments import jobs, metrics, models
from payments.charges import commands as charges
from payments.charges import queries as charge_queries
from payments.providers import Providers, configured
from payments.providers.recent_answers import RecentAnswers
from payments.reconciliation import commands as reconciliation
from payments.refunds import commands as refunds
from payments.settings import PaymentsSettings
from payments.views import PaymentView
from payments.webhooks import commands as webhooks


class PaymentsService(Service):
    """Charges orders, refunds them, and finds out what became of interrupted charges."""

    name = "payments"

    db: Handle = Database(models.Base, package="payments")
    events: Recorder = EventOutbox(EVENTS)
    clock: Now = Clock()
    settings: dict[str, Any] = Settings(PaymentsSettings, section="payments")
    external_call: ExternalCall = ExternalCalls()
    gauges = DatabaseGauges(metrics.PAYMENTS, metrics.REFUNDS, metrics.WEBHOOKS, metrics.REFUSED)
    network: str | None = Network()
    #: Of this process, for all its workers.
    recent_answers = RecentAnswers()
    compared = Outcome(
        "shop_reconciliation_findings",
        "What the last hourly look has found wrong between our ledger and the providers' books.",
        "problem",
        tuple(Problem),
    )

    @cached_property
    def providers(self) -> Providers:
        """Those that are configured."""
        return configured(self.settings, self.db, self.clock, self.external_call)

    def condition(self) -> Json:
        """Whether new payments move real money."""
        return {"test_mode": self.providers.chosen.test_mode}

    @rpc(requests.Charge, answers.Payment, sensitive_arguments="request.method")
    def charge(self, **request: Any) -> PaymentView:
        """Take money for an order, once per (order_id, key); the payment, perhaps `pending`."""
        return charges.with_redirect_url(self, charges.charge(self, **request))

    @rpc(requests.Refund, answers.KeyedPayment, once=True)
    def refund(
        self,
        payment_id: uuid.UUID,
        amount: Decimal | None,
        reason: str,
        key: str | None,
        actor: Actor,
    ) -> PaymentView:
        """Give money back (staff, or the system); the payment, and whether it is a repeat."""
        require_staff(actor)
        return refunds.refund(
            self, payment_id=payment_id, amount=amount, reason=reason, key=key, actor=actor
        )

    @rpc(requests.Cancel, answers.Cancelled)
    def cancel(self, order_id: uuid.UUID, actor: Actor) -> Json:
        """Cancel the payment of a cancelled order that waits for its buyer (staff, or the system);
        whether none is open any more. What is open yet is cancelled as soon as it can be."""
        require_staff(actor)
        return {"done": charges.cancel(self, order_id, FailureCode.ORDER_CANCELLED)}

    @rpc(requests.Get, answers.Payment)
    def get(self, payment_id: uuid.UUID, actor: Actor) -> PaymentView:
        """One payment, for its owner or staff."""
        with self.db.autocommit() as connection:
            payment = charge_queries.get(connection, payment_id, actor)
        return charges.with_redirect_url(self, payment)

    @rpc(requests.ListPayments, answers.PaymentPage)
    def list(self, **query: Any) -> Json:
        """The payments of an order, newest first, for its owner or staff."""
        with self.db.autocommit() as connection:
            items, following = charge_queries.of_order(connection, **query)
        shown = [charges.with_redirect_url(self, payment) for payment in items]
        return {"items": shown, "next": following}

    @rpc(requests.Webhook, sensitive_arguments=("body", "signature"))
    def webhook(self, provider: str, body: str, signature: str | None) -> None:
        """Take what a provider tells; it is looked into within seconds."""
        webhooks.receive(self, provider, body, signature)

    @rpc(requests.Returned, answers.Outcome)
    def returned(self, provider: str, reference: str) -> PaymentView:
        """The payment of a buyer who comes back from the provider's page."""
        return charges.find_returned(self, provider, reference)

    @rpc(requests.Reconcile, answers.Report)
    def reconcile(
        self, since: datetime.datetime, until: datetime.datetime, actor: Actor
    ) -> reconciliation.Report:
        """What is wrong between our ledger and the providers' books (admins)."""
        require_admin(actor)
        return reconciliation.reconcile(self, since, until)

    @event_handler("orders", "refund_due", RefundDue)
    def on_refund_due(self, event: Event) -> None:
        """Give an order its money back, once per request; the sweep ends what is interrupted."""
        with self.db.once(event) as session:
            pending = refunds.open_for_order(self, session, event)
        if pending is not None:
            refunds.complete(self, pending)

    @timer(interval=60)
    def purge(self) -> None:
        """Delete keys that are over, and webhooks that were looked into long ago."""
        jobs.purge(self)

    @timer(interval=1)
    def process_webhooks(self) -> None:
        """Look into what the providers have told."""
        webhooks.process(self)

    @timer(interval=1)
    def simulate(self) -> None:
        """What the simulator does without being asked: its buyers and its webhooks."""
        jobs.simulate(self)

    @timer(interval=2)
    def sweep(self) -> None:
        """Ask the providers about what is not decided yet."""
        jobs.sweep(self)

    @timer(interval=60)
    def compare_books(self) -> None:
        """Once an hour, tell the log what is wrong between our ledger and the providers' books."""
        jobs.compare_books(self, self.compared)
