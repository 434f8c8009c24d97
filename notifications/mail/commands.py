"""The way out: pending messages, by the batch, to their channels.

Each step is one statement, so no transaction is open while a server talks. A batch is claimed for a
while, so that several instances share the work. Its messages are delivered one after another, and
the outcomes are recorded at its end. When a process dies, its claim ends after a while and another
one takes the whole batch: what was delivered already is delivered once more, which the channels
make recognisable. So a batch is small, and what there is no time for is given back. After a death
each message of the batch goes alone, for one of them may be what ended the process.
"""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from time import process_time, sleep
from typing import Any

from chassis import outages
from chassis.errors import Unavailable
from chassis.retries import pause
from chassis.steps import Step
from contracts.notifications.enums import Channel, FailureCode, Status
from notifications.channels import port
from notifications.channels.port import Message
from notifications.context import Context
from notifications.errors import NotNow, Undeliverable
from notifications.mail import addresses, leases, recipients
from notifications.mail.addresses import Contacts
from notifications.mail.leases import Claimed, Outcome

#: Messages are with their channels, which is not recorded yet; where a crash is tested.
DELIVERED = Step("notifications.mail.delivered")

#: Messages that are claimed, and recorded, together.
BATCH = 25
#: How long messages of a batch are begun, from the claim on; the addresses take up to 5 s of it.
BUDGET = datetime.timedelta(seconds=10)
#: Longest pause between two tries.
MAX_PAUSE = datetime.timedelta(minutes=15)

#: Which part of a user's profile a channel needs.
ADDRESS: dict[str, str] = {Channel.EMAIL: "email", Channel.SMS: "phone"}

#: Why a message is not worth sending: nowhere to send it to, nothing it would be good for.
POINTLESS = (
    FailureCode.USER_GONE,
    FailureCode.NO_ADDRESS,
    FailureCode.EMAIL_UNVERIFIED,
    FailureCode.RESET_OVER,
    FailureCode.VERIFICATION_OVER,
    FailureCode.NOTICE_OVER,
)
#: How a message ends that will never be delivered; for any other reason it has failed.
ENDS: dict[str, Status] = {
    **dict.fromkeys(POINTLESS, Status.SKIPPED),
    FailureCode.RECIPIENT_LIMIT: Status.SUPPRESSED,
}

#: By name, "email" and "sms".
Channels = Mapping[str, port.Channel]


def deliver_pending(context: Context, channels: Channels, time: datetime.timedelta) -> None:
    """One round: for so long another batch is begun while any is left. It ends when addresses
    cannot be had."""
    now = context.clock()
    end = now + time
    while now < end:
        used = process_time()
        with context.db.autocommit() as connection:
            batch = leases.take(connection, now, BATCH)
        if not batch or not deliver(context, channels, batch, until=now + BUDGET):
            return
        # Mail can wait: events, which fill feeds, get as much of the processor.
        sleep(process_time() - used)
        if len(batch) < BATCH and not batch[0].is_suspect:
            return  # they were all
        now = context.clock()


def deliver(
    context: Context, channels: Channels, batch: Sequence[Claimed], until: datetime.datetime
) -> bool:
    """Try each once, and record what came of it; false when others would fare no better.

    What is not begun by `until`, the first apart, has not been tried.
    """
    try:
        contacts = addresses.contacts(context, list({one.user_id for one in batch}))
    except Exception as error:
        _release(context, batch)
        if not outages.is_logged(error):
            context.log.info("notifications_wait", count=len(batch), code=type(error).__name__)
        return False
    refused = _admit(context, batch, contacts)
    tried: list[tuple[Claimed, Exception | None]] = []
    for message in batch:
        if tried and context.clock() >= until:
            break
        problem: Exception | None = Undeliverable(FailureCode.RECIPIENT_LIMIT)
        if message.id not in refused:
            problem = _try(context, channels, message, contacts)
        tried.append((message, problem))
        if isinstance(problem, Unavailable):
            break
        sleep(0)  # lets other greenthreads run: writing a file does not
    _record(context, tried)
    _release(context, batch[len(tried) :])
    return not isinstance(tried[-1][1], Unavailable)


def _try(
    context: Context, channels: Channels, message: Claimed, contacts: Contacts
) -> Exception | None:
    """Hand a message to its channel; returns what went wrong."""
    try:
        with context.trace.continuing(message.cause):
            addressed = _addressed(context, message, contacts.get(message.user_id))
            channels[message.channel].deliver(addressed)
    except Exception as error:  # one message must not hold up the others
        return error
    return None


def _addressed(context: Context, message: Claimed, contact: Mapping[str, Any] | None) -> Message:
    if message.attempts > context.settings["max_attempts"]:
        # Earlier tries ended with the process itself.
        raise Undeliverable(FailureCode.TOO_MANY_ATTEMPTS)
    if contact is None:
        raise Undeliverable(FailureCode.USER_GONE)
    body, enclosed = message.body, None
    if message.has_enclosure:
        enclosed, text = addresses.enclosure(context, message)
        body += text
    address = enclosed or contact.get(ADDRESS[message.channel])
    if not address:
        is_unverified = message.channel == Channel.EMAIL and contact.get("email_verified") is False
        raise Undeliverable(
            FailureCode.EMAIL_UNVERIFIED if is_unverified else FailureCode.NO_ADDRESS
        )
    if message.has_enclosure and _count(context, [(message, address)]):
        raise Undeliverable(FailureCode.RECIPIENT_LIMIT)
    return Message(message.id, address, message.subject, body, message.created_at)


def _admit(context: Context, batch: Sequence[Claimed], contacts: Contacts) -> set[uuid.UUID]:
    """Count what goes to users' own addresses; returns what is too much. Where a mail with an
    enclosure goes is learned one by one."""
    addressed = [
        (message, address)
        for message in batch
        if not message.has_enclosure
        and (address := contacts.get(message.user_id, {}).get(ADDRESS[message.channel]))
    ]
    return _count(context, addressed) if addressed else set()


def _count(context: Context, addressed: Sequence[tuple[Claimed, str]]) -> set[uuid.UUID]:
    """Count messages for the addresses that they go to; returns what is too much."""
    limits = recipients.limits(context.settings)
    with context.db.autocommit() as connection:
        return recipients.admit(connection, addressed, limits, context.clock())


def _record(context: Context, tried: Sequence[tuple[Claimed, Exception | None]]) -> None:
    """Note what came of each, by one statement; what has not left is logged."""
    if any(error is None for _, error in tried):
        DELIVERED.reached()
    now = context.clock()
    outcomes = [_outcome(context, *each, now) for each in tried]
    with context.db.autocommit() as connection:
        leases.close(connection, outcomes, now)
    for (message, _), outcome in zip(tried, outcomes, strict=True):
        if outcome.status != Status.SENT:
            with context.trace.continuing(message.cause):
                _log(context, outcome)


def _outcome(
    context: Context, message: Claimed, error: Exception | None, now: datetime.datetime
) -> Outcome:
    if error is None:
        return Outcome(message.id, Status.SENT)
    if isinstance(error, Undeliverable):
        return Outcome(message.id, ENDS.get(error.code, Status.FAILED), error.code)
    code = error.code if isinstance(error, NotNow) else type(error).__name__
    if message.attempts >= context.settings["max_attempts"]:
        return Outcome(message.id, Status.FAILED, code)
    return Outcome(message.id, Status.PENDING, code, now + pause(message.attempts, MAX_PAUSE))


def _log(context: Context, outcome: Outcome) -> None:
    about = {"notification_id": str(outcome.id), "code": outcome.failure_code}
    if outcome.status == Status.PENDING:
        context.log.info("notification_delayed", **about)
        return
    log = context.log.warning if outcome.status == Status.FAILED else context.log.info
    log("notification_not_sent", status=outcome.status, **about)


def _release(context: Context, messages: Sequence[Claimed]) -> None:
    """Let anyone take up what has not been tried."""
    if messages:
        with context.db.autocommit() as connection:
            leases.release(connection, messages, context.clock())
