"""The simulator's webhooks: written with what they tell, then sent over HTTP until they arrive."""

import datetime
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, Select, delete, func, select, update

from chassis.database import Handle
from payments.providers import webhook_signature
from payments.providers.simulator.models import SimulatorCharge, SimulatorWebhook
from payments.providers.simulator.scripts import Delivery

SUCCEEDED, FAILED, REFUNDED = "charge.succeeded", "charge.failed", "charge.refunded"

#: So many are sent at a time, and so many times before others have their turn.
BATCH, BATCHES = 10, 5
#: Each is sent so often; pauses between two tries are 4, 6, 10 … s.
TRIES, LONGEST_PAUSE = 10, 15
#: Seconds for one of them to be taken.
PATIENCE = 2
#: By so much the news of an earlier state comes after that of a later one.
BEHIND = datetime.timedelta(seconds=1)


class OutgoingWebhook(NamedTuple):
    """A webhook in hand, tried so often with this time."""

    row: int
    event_id: str
    type: str
    reference: str
    key: str
    tries: int

    @property
    def body(self) -> str:
        """As it is signed and sent."""
        charge = {"object": "charge", "id": self.reference, "metadata": {"key": self.key}}
        return json.dumps({"id": self.event_id, "type": self.type, "data": {"object": charge}})


class Webhooks:
    """Webhooks to `webhook_url`, signed with the first of `webhook_secrets`; without one of the two
    there are none. `settings` are those of section `payments.simulator`."""

    def __init__(self, settings: Mapping[str, Any]):
        self._url = urlsplit(settings["webhook_url"])
        self._secrets = settings["webhook_secrets"]
        self._late = datetime.timedelta(seconds=settings["late_seconds"])

    @property
    def are_sent(self) -> bool:
        """Whether there is somebody to tell, and a secret to sign with."""
        return bool(self._url.netloc and self._secrets)

    def about(
        self, charge: str, type: str, delivery: Delivery, now: datetime.datetime
    ) -> list[dict[str, Any]]:
        """The rows of what is to be told of `charge` (its reference)."""
        if not self.are_sent or delivery is Delivery.LOST:
            return []
        event_id = _new_id()
        due_at = now + self._late if delivery is Delivery.LATE else now
        due = [(event_id, type, due_at)]
        if delivery is Delivery.TWICE:
            due.append((event_id, type, due_at))
        if delivery is Delivery.REORDERED and type == SUCCEEDED:
            due.append((_new_id(), FAILED, due_at + BEHIND))
        names = ("event_id", "type", "due_at")
        return [{**dict(zip(names, each, strict=True)), "charge_reference": charge} for each in due]

    def send(self, db: Handle, clock: Callable[[], datetime.datetime], log: Any) -> None:
        """Send what is due. Processes share the work, and no transaction is open meanwhile."""
        with closing(self._connection()) as gateway:
            for _ in range(BATCHES):
                with db.autocommit() as connection:
                    taken = _take(connection, clock())
                arrived = [each.row for each in taken if self._arrives(gateway, each, log)]
                with db.autocommit() as connection:
                    _note(connection, taken, arrived, clock())
                if len(taken) < BATCH:
                    return

    def _connection(self) -> HTTPConnection:
        """To our own gateway, opened when first used, and again after an error."""
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        return kind(str(self._url.hostname), self._url.port, timeout=PATIENCE)

    def _arrives(self, gateway: HTTPConnection, webhook: OutgoingWebhook, log: Any) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": webhook_signature.sign(webhook.body, self._secrets[0]),
        }
        path = self._url._replace(scheme="", netloc="").geturl()
        try:
            gateway.request("POST", path, webhook.body.encode(), headers)
            with gateway.getresponse() as answer:
                answer.read()
        except (OSError, HTTPException) as error:
            gateway.close()
            log.info("webhook_not_sent", event_id=webhook.event_id, error=type(error).__name__)
            return False
        if not 200 <= answer.status < 300:
            log.info("webhook_not_taken", event_id=webhook.event_id, status=answer.status)
            return False
        return True


def due(now: datetime.datetime) -> Select[int]:
    """Those to be sent by now."""
    return select(SimulatorWebhook.id).where(SimulatorWebhook.due_at <= now)


def _take(connection: Connection, now: datetime.datetime) -> list[OutgoingWebhook]:
    """Some that are due, set aside for longer than their sending takes."""
    order = (SimulatorWebhook.due_at, SimulatorWebhook.id)
    chosen = due(now).order_by(*order).limit(BATCH).with_for_update(skip_locked=True).cte("chosen")
    taken = (
        update(SimulatorWebhook)
        .where(
            SimulatorWebhook.id == chosen.c.id,
            SimulatorCharge.reference == SimulatorWebhook.charge_reference,
        )
        .values(
            tries=SimulatorWebhook.tries + 1,
            due_at=now + datetime.timedelta(seconds=2 * PATIENCE * BATCH),
        )
        .returning(
            SimulatorWebhook.id,
            SimulatorWebhook.event_id,
            SimulatorWebhook.type,
            SimulatorWebhook.charge_reference,
            SimulatorCharge.key,
            SimulatorWebhook.tries,
        )
    )
    return sorted(OutgoingWebhook(*row) for row in connection.execute(taken))


def _note(
    connection: Connection,
    tried: list[OutgoingWebhook],
    arrived: list[int],
    now: datetime.datetime,
) -> None:
    """Those that have arrived are done, and those that were tried often enough."""
    done = [each.row for each in tried if each.row in arrived or each.tries >= TRIES]
    again = [each.row for each in tried if each.row not in done]
    if done:
        connection.execute(delete(SimulatorWebhook).where(SimulatorWebhook.id.in_(done)))
    if again:
        seconds = func.least(2 + func.power(2, SimulatorWebhook.tries), LONGEST_PAUSE)
        due_at = now + seconds * datetime.timedelta(seconds=1)
        postponed = update(SimulatorWebhook).where(SimulatorWebhook.id.in_(again))
        connection.execute(postponed.values(due_at=due_at))


def _new_id() -> str:
    return f"evt_{uuid.uuid4().hex}"
