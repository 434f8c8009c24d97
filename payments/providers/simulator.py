"""The offline provider: no network, no real money, but books of its own.

It writes its tables in its own transactions and knows nothing of ours, as a provider across the
network would: when its answer is lost, its books still say what happened.
"""

import datetime
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from payments.errors import ProviderTimeout
from payments.lifecycle import Status
from payments.methods import CARD, Method
from payments.models import SimulatorCharge, SimulatorRefund
from payments.providers.port import (
    ChargeOrder,
    ChargeReport,
    Known,
    RefundOrder,
    RefundReport,
)


@dataclass(frozen=True, slots=True)
class _Script:
    """What happens to a charge with a token; without `answers` it happens, but nobody hears."""

    status: Status
    failure_code: str | None = None
    answers: bool = True


#: The tokens it knows, and what they play.
TOKENS = {
    "tok_visa": _Script(Status.SUCCEEDED),
    "tok_declined": _Script(Status.FAILED, "card_declined"),
    "tok_insufficient_funds": _Script(Status.FAILED, "insufficient_funds"),
    "tok_timeout": _Script(Status.SUCCEEDED, answers=False),
    "tok_3ds": _Script(Status.REQUIRES_ACTION),
}


class Simulator:
    """A provider whose outcome is chosen by the token (`TOKENS`)."""

    name = "simulator"

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        settings: Mapping[str, Any],
    ):
        self._begin = begin
        self._clock = clock
        self._challenge_url = settings["challenge_url"]
        self._challenge_time = datetime.timedelta(seconds=settings["challenge_seconds"])

    def check(self, method: Method) -> None:
        """Refuse tokens that it does not know."""
        if method.type != CARD or method.token not in TOKENS:
            raise Invalid(errors={"method": ["Unknown token."]})

    def create(self, order: ChargeOrder, note: Callable[[str], None]) -> ChargeReport:
        """Play the token's script, once per key."""
        script = TOKENS[order.method.token]
        entry = insert(SimulatorCharge).values(
            key=order.key,
            reference=f"sim_{uuid.uuid4().hex}",
            status=script.status,
            amount=order.amount,
            captured=order.amount if script.status == Status.SUCCEEDED else 0,
            currency=order.currency,
            failure_code=script.failure_code,
            created_at=self._clock(),
        )
        with self._begin() as session:
            session.execute(entry.on_conflict_do_nothing())
            report = self._report(session.get_one(SimulatorCharge, order.key))
        if not script.answers:
            raise ProviderTimeout
        return report

    def look_up(self, charge: Known) -> ChargeReport | None:
        """What its books say; a challenge that nobody passed in time has failed."""
        with self._begin() as session:
            entry = session.get(SimulatorCharge, charge.key, with_for_update=True)
            if entry is None:
                return None
            expired = entry.created_at + self._challenge_time <= self._clock()
            if entry.status == Status.REQUIRES_ACTION and expired:
                entry.status = Status.FAILED
                entry.failure_code = "authentication_expired"
            return self._report(entry)

    def refund(self, order: RefundOrder) -> RefundReport:
        """Give back once per key, and never more than was charged."""
        with self._begin() as session:
            charge = session.scalars(
                select(SimulatorCharge)
                .where(SimulatorCharge.reference == order.reference)
                .with_for_update()
            ).one_or_none()
            known = session.get(SimulatorRefund, order.key)
            if known is not None:
                return RefundReport(done=True, reference=known.reference)
            if charge is None or charge.status != Status.SUCCEEDED:
                return RefundReport(done=False, failure_code="charge_not_refundable")
            if charge.amount - charge.refunded < order.amount:
                return RefundReport(done=False, failure_code="amount_too_large")
            return self._give_back(session, charge, order)

    def _give_back(
        self, session: Session, charge: SimulatorCharge, order: RefundOrder
    ) -> RefundReport:
        reference = f"simre_{uuid.uuid4().hex}"
        session.execute(
            update(SimulatorCharge)
            .where(SimulatorCharge.key == charge.key)
            .values(refunded=SimulatorCharge.refunded + order.amount)
        )
        session.add(
            SimulatorRefund(
                key=order.key,
                reference=reference,
                charge_reference=charge.reference,
                amount=order.amount,
                created_at=self._clock(),
            )
        )
        return RefundReport(done=True, reference=reference)

    def _report(self, charge: SimulatorCharge) -> ChargeReport:
        waits = charge.status == Status.REQUIRES_ACTION
        return ChargeReport(
            status=charge.status,
            amount=charge.amount,
            currency=charge.currency,
            reference=charge.reference,
            action_url=self._challenge_url + charge.reference if waits else None,
            failure_code=charge.failure_code,
        )
