"""The Nameko service `payments`."""

from functools import partial

from chassis import idempotency, staff
from chassis.clock import Clock
from chassis.config import Settings
from chassis.database import Database
from chassis.events import EventOutbox, event_handler
from chassis.external import ExternalCalls
from chassis.metrics.custom import DatabaseGauges, Outcome
from chassis.origin import Network
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from contracts.payments import answers, requests
from contracts.payments.enums import Problem, ProviderName
from contracts.payments.events import EVENTS
from payments import leases, metrics, models, providers, queries, schemas
from payments.cashier import Cashier
from payments.charges import store as charge_store
from payments.jobs import Sweep
from payments.providers.recent_answers import Looks
from payments.providers.simulator import Simulator
from payments.reconciliation import commands as reconciliation
from payments.reconciliation.commands import Reconciliation
from payments.settings import PaymentsSettings
from payments.webhooks import commands as webhooks


class PaymentsService(Service):
    """Charges orders, refunds them, and finds out what became of interrupted charges."""

    name = "payments"

    db = Database(models.Base, package="payments")
    events = EventOutbox(EVENTS)
    clock = Clock()
    settings = Settings(PaymentsSettings, section="payments")
    external_call = ExternalCalls()
    gauges = DatabaseGauges(metrics.PAYMENTS, metrics.REFUNDS, metrics.WEBHOOKS, metrics.REFUSED)
    network = Network()
    looks = Looks()
    compared = Outcome(
        "shop_reconciliation_findings",
        "What the last hourly look has found wrong between our ledger and the providers' books.",
        "problem",
        tuple(Problem),
    )

    def condition(self):
        """Whether new payments move real money."""
        return {"test_mode": self.cashier.providers.chosen.test_mode}

    @rpc(requests.Charge, answers.Payment, sensitive_arguments="request.method")
    def charge(self, **request):
        """Take money for an order, once per (order_id, key); the payment, perhaps `pending`."""
        cashier = self.cashier
        return cashier.led_on(cashier.charge(**request))

    @rpc(requests.Refund, answers.KeyedPayment, once=True)
    def refund(self, payment_id, amount, reason, key, actor):
        """Give money back (staff, or the system); the payment, and whether it is a repeat."""
        queries.require_staff(actor)
        payment, replayed = self.cashier.refund(
            payment_id=payment_id,
            amount=amount,
            reason=reason,
            key=key,
            by=actor.user_id,
            note=partial(self._note_refund, actor),
        )
        return payment | {"replayed": replayed}

    @rpc(requests.Cancel, answers.Cancelled)
    def cancel(self, order_id, actor):
        """Cancel the payment of a cancelled order that waits for its buyer (staff, or the system);
        whether none is open any more. What is open yet is cancelled as soon as it can be."""
        queries.require_staff(actor)
        return {"done": self.cashier.cancel(order_id, charge_store.ORDER_CANCELLED)}

    @rpc(requests.Get, answers.Payment)
    def get(self, payment_id, actor):
        """One payment, for its owner or staff."""
        with self.db.autocommit() as connection:
            payment = queries.get(connection, payment_id, actor)
        return self.cashier.led_on(payment)

    @rpc(requests.ListPayments, answers.PaymentPage)
    def list(self, order_id, key, actor, limit, cursor):
        """The payments of an order, newest first, for its owner or staff."""
        with self.db.autocommit() as connection:
            items, following = queries.of_order(connection, order_id, key, actor, limit, cursor)
        cashier = self.cashier
        return {"items": [cashier.led_on(payment) for payment in items], "next": following}

    @rpc(requests.Webhook, sensitive_arguments=("body", "signature"))
    def webhook(self, provider, body, signature):
        """Take what a provider tells; it is looked into within seconds."""
        webhooks.receive(self.cashier, provider, body, signature)

    @rpc(requests.Returned, answers.Outcome)
    def returned(self, provider, reference):
        """The payment of a buyer who comes back from the provider's page."""
        return webhooks.returned(self.cashier, provider, reference)

    @rpc(requests.Reconcile, answers.Report)
    def reconcile(self, since, until, actor):
        """What is wrong between our ledger and the providers' books (admins)."""
        queries.require_admin(actor)
        return self.reconciliation.run(since, until)

    @event_handler("orders", "refund_due", schemas.RefundDue)
    def on_refund_due(self, event):
        """Give an order its money back, once per event; the sweep ends what is interrupted."""
        with self.db.once(event) as session:
            job = self.cashier.open_order_refund(session, event.payload, key=f"event-{event.id}")
        if job is not None:
            self.cashier.settle_refund(job)

    @timer(interval=60)
    def forget(self):
        """Drop keys that are over, and webhooks that were looked into long ago."""
        idempotency.forget(self.db.begin, models.RequestKey, self.clock())
        webhooks.forget(self.cashier)

    @timer(interval=1)
    def digest(self):
        """Look into what the providers have told."""
        webhooks.digest(self.cashier, self.settings["sweep_batch"])

    @timer(interval=1)
    def simulate(self):
        """What the simulator does without being asked: its buyers and its webhooks."""
        if self.settings["provider"] == ProviderName.SIMULATOR:
            Simulator(self.db.begin, self.clock, self.settings["simulator"]).tick(self.log)

    @timer(interval=2)
    def sweep(self):
        """Ask the provider about what is not decided yet."""
        Sweep(
            self.cashier,
            batch=self.settings["sweep_batch"],
            give_up_seconds=self.settings["give_up_seconds"],
        ).run()

    @timer(interval=60)
    def compare_books(self):
        """Once an hour, tell the log what is wrong between our ledger and the providers' books."""
        compare = partial(reconciliation.watch, self.reconciliation, self.log, self.compared)
        leases.take(self.db.begin, self.clock, "compare_books", reconciliation.EVERY, compare)

    def _note_refund(self, actor, session, payment, refund):
        """See `payments.cashier.NoteRefund`."""
        staff.tell(
            self,
            session,
            actor,
            "refund_requested",
            "payment",
            payment.id,
            payment.user_id,
            order_id=str(payment.order_id),
            refund_id=str(refund.id),
            amount=str(refund.amount),
            currency=payment.currency,
        )

    @property
    def reconciliation(self) -> Reconciliation:
        """Of now, with the configured providers."""
        return Reconciliation(
            self.db.autocommit, self.cashier.providers, self.clock(), self.settings
        )

    @property
    def cashier(self) -> Cashier:
        """Charges and refunds through the configured providers."""
        return Cashier(
            self.db.begin,
            providers.configured(self.settings, self.db.begin, self.clock, self.external_call),
            self.events.record,
            self.clock,
            self.settings["call_seconds"],
            self.log,
            self.looks,
        )
