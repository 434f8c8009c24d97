"""The simulator's webhooks: written with what they tell, then sent over HTTP until they arrive."""

import datetime
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import requests
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from payments.providers import webhook_signature
from payments.providers.simulator.models import SimulatorCharge, SimulatorWebhook
from payments.providers.simulator.scripts import Delivery

SUCCEEDED, FAILED, REFUNDED = "charge.succeeded", "charge.failed", "charge.refunded"

#: At most so many are sent at a time, each so often; pauses between two tries are 4, 6, 10 … s.
BATCH, TRIES, LONGEST_PAUSE = 50, 10, 15
#: Seconds for one of them to be taken.
PATIENCE = 2
#: By so much the news of an earlier state comes after that of a later one.
BEHIND = datetime.timedelta(seconds=1)


class OutgoingWebhook(NamedTuple):
    """A webhook in hand."""

    row: int
    event_id: str
    type: str
    reference: str
    key: str

    @property
    def body(self) -> str:
        """As it is signed and sent."""
        charge = {"object": "charge", "id": self.reference, "metadata": {"key": self.key}}
        return json.dumps({"id": self.event_id, "type": self.type, "data": {"object": charge}})


class Webhooks:
    """Webhooks to `webhook_url`, signed with the first of `webhook_secrets`; without one of the two
    there are none. `settings` are those of section `payments.simulator`."""

    def __init__(self, settings: Mapping[str, Any]):
        self._url = settings["webhook_url"]
        self._secrets = settings["webhook_secrets"]
        self._late = datetime.timedelta(seconds=settings["late_seconds"])

    @property
    def are_sent(self) -> bool:
        """Whether there is somebody to tell, and a secret to sign with."""
        return bool(self._url and self._secrets)

    def tell(
        self,
        session: Session,
        charge: str,
        type: str,
        delivery: Delivery,
        now: datetime.datetime,
    ) -> None:
        """Write down what is to be told of `charge` (its reference)."""
        if not self.are_sent or delivery is Delivery.LOST:
            return
        event_id = _new_id()
        due_at = now + self._late if delivery is Delivery.LATE else now
        due = [(event_id, type, due_at)]
        if delivery is Delivery.TWICE:
            due.append((event_id, type, due_at))
        if delivery is Delivery.REORDERED and type == SUCCEEDED:
            due.append((_new_id(), FAILED, due_at + BEHIND))
        for event_id, type, due_at in due:
            row = SimulatorWebhook(
                event_id=event_id, type=type, charge_reference=charge, due_at=due_at
            )
            session.add(row)

    def first(self, session: Session, now: datetime.datetime) -> OutgoingWebhook | None:
        """Give up what was tried too often, and take the first that is due, for `send`."""
        given_up = (SimulatorWebhook.due_at <= now, SimulatorWebhook.tries >= TRIES)
        session.execute(delete(SimulatorWebhook).where(*given_up))
        return _take(session, now)

    def send(
        self,
        webhook: OutgoingWebhook,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        log: Any,
    ) -> None:
        """Send what was taken, and what else is due. Processes share the work, and no transaction
        is open meanwhile."""
        with requests.Session() as door:
            door.trust_env = False  # it is our own gateway: no proxy is on the way
            for left in reversed(range(BATCH)):
                arrived = self._arrives(door, webhook, log)
                with begin() as session:
                    if arrived:
                        session.execute(delete(SimulatorWebhook).filter_by(id=webhook.row))
                    following = _take(session, clock()) if left else None
                if following is None:
                    return
                webhook = following

    def _arrives(self, door: requests.Session, webhook: OutgoingWebhook, log: Any) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": webhook_signature.sign(webhook.body, self._secrets[0]),
        }
        try:
            answer = door.post(
                self._url,
                data=webhook.body.encode(),
                headers=headers,
                timeout=PATIENCE,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            log.info("webhook_not_sent", event_id=webhook.event_id, error=type(error).__name__)
            return False
        if not 200 <= answer.status_code < 300:
            log.info("webhook_not_taken", event_id=webhook.event_id, status=answer.status_code)
            return False
        return True


def _take(session: Session, now: datetime.datetime) -> OutgoingWebhook | None:
    """One that is due, set aside for longer than its sending takes."""
    wanted = (
        select(SimulatorWebhook, SimulatorCharge.key)
        .join(SimulatorCharge, SimulatorCharge.reference == SimulatorWebhook.charge_reference)
        .where(SimulatorWebhook.due_at <= now)
        .order_by(SimulatorWebhook.due_at, SimulatorWebhook.id)
        .limit(1)
        .with_for_update(of=SimulatorWebhook, skip_locked=True)
    )
    found = session.execute(wanted).first()
    if found is None:
        return None
    row, key = found
    row.tries += 1
    row.due_at = now + datetime.timedelta(seconds=min(2 + 2**row.tries, LONGEST_PAUSE))
    return OutgoingWebhook(row.id, row.event_id, row.type, row.charge_reference, key)


def _new_id() -> str:
    return f"evt_{uuid.uuid4().hex}"
