"""The way out: pending messages, by the batch, to their channels.

A batch is claimed for a while in a transaction of its own, so that none is open while a server
talks, and several instances share the work. Its messages are delivered one after another, and what
became of them is noted at its end. Who dies with a claim leaves the whole batch to the next after
it ends: what was delivered of it is delivered once more, which the channels make recognisable. So a
batch is small, and what its time does not suffice for is given back. After a death each of its
messages goes alone, for one of them may be what ended the process.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from time import process_time, sleep
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from chassis import outages
from chassis.errors import Unavailable
from contracts.notifications.enums import Channel, Status
from notifications.channels import port
from notifications.channels.port import Letter
from notifications.errors import NotNow, Undeliverable
from notifications.mail import leases, recipients
from notifications.mail.leases import Claimed
from notifications.mail.recipients import Limit

#: Messages that are claimed, and noted, together.
BATCH = 25
#: How long messages of a batch are begun, from the claim on; the addresses take up to 5 s of it.
BUDGET = datetime.timedelta(seconds=10)
#: Longest pause between two tries.
MAX_PAUSE = datetime.timedelta(minutes=15)

#: Which part of a user's profile a channel needs.
ADDRESS = {Channel.EMAIL: "email", Channel.SMS: "phone"}

#: Why a message is not worth sending: nowhere to send it to, nothing it would be good for.
POINTLESS = (
    "user_gone", "no_address", "email_unverified", "reset_over", "verification_over", "notice_over",
)  # fmt: skip
#: Why a message is not sent whose recipient has got too many.
TOO_MANY = "recipient_limit"
#: How a message ends that will never be delivered; for any other reason it has failed.
ENDS = dict.fromkeys(POINTLESS, Status.SKIPPED) | {TOO_MANY: Status.SUPPRESSED}

#: `publish(session, type, [(payload, cause), ...])` records events in the session's transaction.
Publish = Callable[[Session, str, list[tuple[dict[str, Any], Mapping[str, Any]]]], object]
#: `with following(cause)`: calls and events are those of another request (`chassis.trace`).
Following = Callable[[Mapping[str, Any]], AbstractContextManager[None]]


class Enclosure(NamedTuple):
    """What a mail gets when it goes: where it goes (None: to the user's address), and the lines
    that it ends in, which may have a token."""

    address: str | None
    text: str


class Postman:
    """Delivers what is pending.

    `contacts(user_ids)` answers with `email`, `email_verified` and `phone` of each user who is
    there at this moment, by id; `enclosure(message)` with that of one that has any, or raises
    `Undeliverable`; `channels` maps "email" and "sms" to theirs, `limits` is as for
    `recipients.admit`.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        contacts: Callable[[list[uuid.UUID]], Mapping[uuid.UUID, Mapping[str, Any]]],
        enclosure: Callable[[Claimed], Enclosure],
        channels: Mapping[str, port.Channel],
        publish: Publish,
        following: Following,
        log: Any,
        *,
        max_attempts: int,
        limits: Mapping[bool, Limit],
    ):
        self.begin = begin
        self.clock = clock
        self.contacts = contacts
        self.enclosure = enclosure
        self.channels = channels
        self.publish = publish
        self.following = following
        self.log = log
        self.max_attempts = max_attempts
        self.limits = limits

    def run(self, time: datetime.timedelta) -> None:
        """One round: for so long another batch is begun while any is left. It ends when nobody can
        tell addresses."""
        now = self.clock()
        end = now + time
        while now < end:
            used = process_time()
            with self.begin() as session:
                batch = leases.take(session, now, BATCH)
            if not batch or not self.deliver(batch, until=now + BUDGET):
                return
            # Mail can wait: events, which fill feeds, get as much of the processor.
            sleep(process_time() - used)
            now = self.clock()

    def deliver(self, batch: Sequence[Claimed], until: datetime.datetime) -> bool:
        """Try each once, and note what came of it; false when others would fare no better.

        What is not begun by `until`, the first apart, has not been tried.
        """
        try:
            contacts = self.contacts(list({message.user_id for message in batch}))
        except Exception as error:
            self._release(batch)
            if not outages.is_logged(error):
                self.log.info("notifications_wait", count=len(batch), code=type(error).__name__)
            return False
        refused = self._admit(batch, contacts)
        tried: list[tuple[Claimed, Exception | None]] = []
        for message in batch:
            if tried and self.clock() >= until:
                break
            is_refused = message.id in refused
            error = Undeliverable(TOO_MANY) if is_refused else self._try(message, contacts)
            tried.append((message, error))
            if isinstance(error, Unavailable):
                break
            sleep(0)  # whoever else waits comes first: writing a file lets nobody in
        self._note(tried)
        self._release(batch[len(tried) :])
        return not isinstance(tried[-1][1], Unavailable)

    def _try(
        self, message: Claimed, contacts: Mapping[uuid.UUID, Mapping[str, Any]]
    ) -> Exception | None:
        """Hand a message to its channel; returns what went wrong."""
        try:
            with self.following(message.cause):
                letter = self._letter(message, contacts.get(message.user_id))
                self.channels[message.channel].deliver(letter)
        except Exception as error:  # one letter must not hold up the others
            return error
        return None

    def _letter(self, message: Claimed, contact: Mapping[str, Any] | None) -> Letter:
        if message.attempts > self.max_attempts:  # earlier tries ended with the process itself
            raise Undeliverable("too_many_attempts")
        if contact is None:
            raise Undeliverable("user_gone")
        body, enclosed = message.body, None
        if message.has_enclosure:
            enclosed, text = self.enclosure(message)
            body += text
        address = enclosed or contact.get(ADDRESS[message.channel])
        if not address:
            is_unverified = (
                message.channel == Channel.EMAIL and contact.get("email_verified") is False
            )
            raise Undeliverable("email_unverified" if is_unverified else "no_address")
        if message.has_enclosure:
            with self.begin() as session:
                if recipients.admit(session, [(message, address)], self.limits, self.clock()):
                    raise Undeliverable(TOO_MANY)
        return Letter(message.id, address, message.subject, body, message.created_at)

    def _admit(
        self, batch: Sequence[Claimed], contacts: Mapping[uuid.UUID, Mapping[str, Any]]
    ) -> set[uuid.UUID]:
        """Count what goes to users' own addresses; returns what is too much. Where a mail with an
        enclosure goes is learned one by one."""
        addressed = [
            (message, address)
            for message in batch
            if not message.has_enclosure
            and (address := contacts.get(message.user_id, {}).get(ADDRESS[message.channel]))
        ]
        if not addressed:
            return set()
        with self.begin() as session:
            return recipients.admit(session, addressed, self.limits, self.clock())

    def _note(self, tried: Iterable[tuple[Claimed, Exception | None]]) -> None:
        """What went is noted first: it is what a repeat would double."""
        sent = [message for message, error in tried if error is None]
        if sent:
            self._sent(sent)
        for message, error in tried:
            if error is not None:
                with self.following(message.cause):
                    self._not_sent(message, error)

    def _sent(self, messages: Sequence[Claimed]) -> None:
        with self.begin() as session:
            closed = leases.close_sent(session, [message.id for message in messages], self.clock())
            told = [
                (_facts(message), message.cause) for message in messages if message.id in closed
            ]
            if told:
                self.publish(session, "notification_sent", told)

    def _not_sent(self, message: Claimed, error: Exception) -> None:
        if isinstance(error, Undeliverable):
            self._close(message, ENDS.get(error.code, Status.FAILED), error.code)
        else:
            self._try_later(message, error)

    def _release(self, messages: Sequence[Claimed]) -> None:
        """Let anyone take up what has not been tried."""
        if messages:
            with self.begin() as session:
                leases.release(session, messages, self.clock())

    def _close(self, message: Claimed, status: str, code: str) -> None:
        with self.begin() as session:
            leases.close(session, message.id, status=status, failure_code=code)
        log = self.log.warning if status == Status.FAILED else self.log.info
        log("notification_not_sent", notification_id=str(message.id), status=status, code=code)

    def _try_later(self, message: Claimed, error: Exception) -> None:
        code = error.code if isinstance(error, NotNow) else type(error).__name__
        if message.attempts >= self.max_attempts:
            self._close(message, Status.FAILED, code)
            return
        with self.begin() as session:
            leases.close(
                session,
                message.id,
                failure_code=code,
                claimed_until=self.clock() + pause(message.attempts),
            )
        self.log.info("notification_delayed", notification_id=str(message.id), code=code)


def pause(attempts: int) -> datetime.timedelta:
    """How long to wait after so many tries: 2 s, 4 s, 8 s … up to `MAX_PAUSE`."""
    return min(datetime.timedelta(seconds=2 ** min(attempts, 20)), MAX_PAUSE)


def _facts(message: Claimed) -> dict[str, Any]:
    """The payload of `notification_sent`."""
    return {
        "notification_id": message.id,
        "user_id": message.user_id,
        "order_id": message.order_id,
        "channel": message.channel,
    }
