"""The offline provider: no real money, but books, webhooks and faults of its own.

It writes its tables in its own transactions and knows nothing of ours, as a provider across the
network would: when its answer is lost, its books still say what happened. The tokens that it knows
are in `payments.providers.simulator.scripts`.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.database import Handle
from chassis.errors import Invalid
from contracts.payments.enums import MethodType, ProviderName, Status
from contracts.payments.methods import PaymentMethod
from payments.errors import ProviderTimeout, WebhookRefused
from payments.providers import webhook_signature
from payments.providers.port import (
    ChargeReport,
    ChargeRequest,
    KnownCharge,
    ProviderTransaction,
    RefundReport,
    RefundRequest,
    WebhookEvent,
)
from payments.providers.simulator import books, webhooks
from payments.providers.simulator.models import SimulatorCharge, SimulatorRefund, SimulatorWebhook
from payments.providers.simulator.scripts import TOKENS, Answer, Chances, Delivery
from payments.providers.simulator.webhooks import Webhooks

#: At most so many challenges end at one tick.
BATCH = 100

_WEBHOOK_OF: dict[str, str] = {
    Status.SUCCEEDED: webhooks.SUCCEEDED,
    Status.FAILED: webhooks.FAILED,
    Status.REFUNDED: webhooks.REFUNDED,
}
#: The status that a webhook tells of its charge; a refund changes none.
_TOLD = {_WEBHOOK_OF[status]: status for status in (Status.SUCCEEDED, Status.FAILED)}


class Simulator:
    """A provider whose outcome is chosen by the token, or by chance; `settings`: section
    `payments.simulator`."""

    name = ProviderName.SIMULATOR
    test_mode = True

    def __init__(
        self,
        db: Handle,
        clock: Callable[[], datetime.datetime],
        settings: Mapping[str, Any],
    ):
        self._db = db
        self._clock = clock
        self._challenge_url = settings["challenge_url"]
        self._challenge_time = datetime.timedelta(seconds=settings["challenge_seconds"])
        self._down_time = datetime.timedelta(seconds=settings["down_seconds"])
        self._secrets = settings["webhook_secrets"]
        self._chances = Chances(settings["seed"], settings["chances"])
        self._webhooks = Webhooks(settings)

    def check(self, method: PaymentMethod, amount: Decimal, currency: str) -> None:
        """Refuse tokens that it does not know."""
        if method.type != MethodType.CARD or method.token not in TOKENS:
            raise Invalid(errors={"method": ["Unknown token."]})

    def create(self, request: ChargeRequest, note: Callable[[str], None]) -> ChargeReport:
        """Play the token's script, once per key."""
        script = self._chances.of_charge(str(request.method.token), request.key)
        self._arrive(request.key, script.answer)
        charge = books.new_charge(request, script, self._clock())
        told = self._webhooks_about(charge["reference"], script.status, script.delivery)
        with self._db.autocommit() as connection:
            report = self._report(books.enter(connection, charge, told))
        if script.answer is Answer.LOST:
            raise ProviderTimeout
        return report

    def look_up(self, charge: KnownCharge) -> ChargeReport | None:
        """What its books say; a challenge whose time has come is passed, or has failed."""
        self._reach(charge.key)
        with self._db.autocommit() as connection:
            entry = books.find(connection, charge)
        if entry is None:
            return None
        if entry.status == Status.REQUIRES_ACTION:
            return self._end(charge)
        return self._report(entry)

    def cancel(self, charge: KnownCharge) -> ChargeReport | None:
        """End a challenge; one that the buyer has passed by now stays passed."""
        self._reach(charge.key)
        return self._end(charge, is_cancelled=True)

    def _end(self, charge: KnownCharge, is_cancelled: bool = False) -> ChargeReport | None:
        """The charge after its challenge has ended, if its time has come or it is cancelled."""
        with self._db.begin() as session:
            entry = books.lock(session, charge)
            if entry is None:
                return None
            self._end_challenge(session, entry)
            if is_cancelled and books.cancel(entry):
                self._tell(session, entry, Status.FAILED, Delivery.ONCE)
            return self._report(entry)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back once per key, and never more than was taken."""
        script = self._chances.of_refund(request.key)
        self._arrive(request.key, script.answer)
        with self._db.begin() as session:
            charge = books.lock(session, KnownCharge("", request.reference))
            known = session.get(SimulatorRefund, request.key)
            if known is not None:
                return RefundReport(done=True, reference=known.reference)
            if charge is None or charge.status != Status.SUCCEEDED:
                return RefundReport(done=False, failure_code="charge_not_refundable")
            if charge.captured - charge.refunded < request.amount:
                return RefundReport(done=False, failure_code="amount_too_large")
            told = self._webhooks_about(charge.reference, Status.REFUNDED, script.delivery)
            reference = books.give_back(session, request, told, self._clock())
        if script.answer is Answer.LOST:
            raise ProviderTimeout
        return RefundReport(done=True, reference=reference)

    def read_webhook(self, body: str, signature: str | None) -> WebhookEvent:
        """One of its own webhooks."""
        event = webhook_signature.read(body, signature, self._secrets)
        try:
            charge, told = event["data"]["object"], _TOLD.get(event["type"])
            key = charge["metadata"]["key"]
            return WebhookEvent(event["id"], event["type"], charge["id"], key, told)
        except (KeyError, TypeError):
            raise WebhookRefused("unreadable") from None

    def transactions_of(self, charge: str) -> Iterable[ProviderTransaction]:
        """A charge's capture and its refunds."""
        with self._db.autocommit() as connection:
            return books.transactions_of(connection, charge)

    def transactions(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> Iterable[ProviderTransaction]:
        """The captures and refunds of what was made in that time."""
        with self._db.autocommit() as connection:
            return books.transactions(connection, since, until)

    def tick(self, log: Any) -> None:
        """A moment of its own life: buyers end their challenges, and webhooks go out."""
        if not self._webhooks.are_sent:
            return  # what has changed is seen by whoever looks it up
        now = self._clock()
        ending, due = books.ending_challenges(self._challenge_time, now), webhooks.due(now)
        with self._db.autocommit() as connection:
            are_ending, are_due = connection.execute(select(ending.exists(), due.exists())).one()
        if are_ending:
            with self._db.begin() as session:
                chosen = ending.limit(BATCH).with_for_update(skip_locked=True)
                for charge in session.scalars(chosen).all():
                    self._end_challenge(session, charge)
        if are_ending or are_due:
            self._webhooks.send(self._db, self._clock, log)

    def _reach(self, key: str) -> None:
        """Raise `ProviderTimeout` while nobody is there for what is about `key`."""
        with self._db.autocommit() as connection:
            if books.is_lost(connection, key, self._clock()):
                raise ProviderTimeout

    def _arrive(self, key: str, answer: Answer) -> None:
        """Raise `ProviderTimeout` for a request that does not come through."""
        if answer not in (Answer.LOST_BEFORE, Answer.DOWN):
            return
        now = self._clock()
        until = now + self._down_time if answer is Answer.DOWN else now
        with self._db.autocommit() as connection:
            if books.lose(connection, key, until):
                raise ProviderTimeout
        self._reach(key)

    def _end_challenge(self, session: Session, charge: SimulatorCharge) -> None:
        if books.end_challenge(charge, self._challenge_time, self._clock()):
            delivery = self._chances.of_challenge(charge.key).delivery
            self._tell(session, charge, charge.status, delivery)

    def _tell(
        self, session: Session, charge: SimulatorCharge, what: str, delivery: Delivery
    ) -> None:
        rows = self._webhooks_about(charge.reference, what, delivery)
        session.add_all(SimulatorWebhook(**row) for row in rows)

    def _webhooks_about(self, charge: str, what: str, delivery: Delivery) -> list[dict[str, Any]]:
        """Of a charge's status, or of a refund; there are none while the buyer is asked."""
        if what not in _WEBHOOK_OF:
            return []
        return self._webhooks.about(charge, _WEBHOOK_OF[what], delivery, self._clock())

    def _report(self, charge: Any) -> ChargeReport:
        waits = charge.status == Status.REQUIRES_ACTION
        taken = charge.status == Status.SUCCEEDED
        return ChargeReport(
            status=charge.status,
            amount=charge.captured if taken else charge.amount,
            currency=charge.currency,
            reference=charge.reference,
            action_url=self._challenge_url + charge.reference if waits else None,
            failure_code=charge.failure_code,
        )
