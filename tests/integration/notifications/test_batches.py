"""A batch of messages on its way out, with a clock and channels in the test's hand."""

import datetime
import time
import uuid
from functools import partial
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import structlog

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.database import statement_by_statement
from chassis.errors import Unavailable
from chassis.trace import WorkTrace
from notifications.channels.files import MailFiles
from notifications.errors import NotNow, Undeliverable
from notifications.mail import commands, leases
from notifications.mail.commands import BATCH, BUDGET
from notifications.mail.leases import CLAIM
from notifications.service import NotificationsService
from tests.conftest import empty
from tests.integration.events import of_order, publish
from tests.integration.notifications.conftest import ANN, BOB
from tests.support import eventually

SECOND = datetime.timedelta(seconds=1)


class Killed(BaseException):
    """The process ends here: nothing of it is caught."""


class World:
    """A database with pending messages, a channel, and who carries from the one to the other."""

    def __init__(self, engine):
        self.engine, self.now = engine, utcnow()
        self.people = {uuid.UUID(ANN): {"email": "ann@example.org", "phone": None}}
        self.limits = dict.fromkeys(
            (f"{kind}mails_per_{time}" for kind in ("", "security_") for time in ("hour", "day")),
            1000,
        )
        self.asked, self.mails, self.meet = [], [], {}
        self.data = {"request_id": "timer"}

    def deliver_pending(self, max_attempts=12):
        """One round of a service that has this world around it."""
        context = SimpleNamespace(
            db=SimpleNamespace(autocommit=partial(statement_by_statement, self.engine)),
            clock=lambda: self.now,
            settings={"max_attempts": max_attempts} | self.limits,
            users=self,
            trace=WorkTrace(self.data),
            log=structlog.get_logger(),
        )
        commands.deliver_pending(context, {"email": self}, SECOND)

    def write(self, subject, **row):
        """A pending message to Ann."""
        cause = f'{{"request_id": "{subject}"}}'
        values = {
            "id": uuid.uuid4(), "user_id": uuid.UUID(ANN), "cause": cause, "channel": "email",
            "subject": subject, "body": "", "status": "pending", "created_at": self.now,
            "claimed_until": self.now,
        }  # fmt: skip
        values |= row
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        self.now += datetime.timedelta(milliseconds=1)
        self.rows(f"INSERT INTO notifications ({names}) VALUES ({places}) RETURNING 1", **values)

    def rows(self, statement, **values):
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]

    def states(self):
        """Subject → (status, tries)."""
        found = self.rows("SELECT subject, status, attempts FROM notifications")
        return {subject: (status, attempts) for subject, status, attempts in found}

    def waiting(self):
        """The subjects that anyone may take up now."""
        free = "SELECT subject FROM notifications WHERE status = 'pending' AND claimed_until <= :n"
        return {subject for (subject,) in self.rows(free, n=self.now)}

    def contacts(self, user_ids):
        self.asked.append(user_ids)
        self.meeting("addresses")
        there = [user_id for user_id in user_ids if user_id in self.people]
        return {"items": [{"id": str(user_id), **self.people[user_id]} for user_id in there]}

    def issue_reset_token(self, reset_id):
        raise Unavailable

    def deliver(self, message):
        self.meeting(message.subject)
        self.mails.append((message.subject, self.data["request_id"]))

    def meeting(self, what):
        for happens in self.meet.get(what, ()):
            happens()


def failing(error):
    def fail():
        raise error

    return (fail,)


@pytest.fixture
def world(databases):
    """Nothing pending yet."""
    url = configuration.database_url({"DATABASE_URL": databases, "DATABASES": {}}, "notifications")
    empty(url)
    engine = sa.create_engine(url)
    yield World(engine)
    engine.dispose()


def subjects(world):
    return [subject for subject, _ in world.mails]


def test_a_batch_asks_and_notes_once(world):
    """One question for all addresses, and a statement each to claim, to count and to note what was
    sent; each message is that of its own request."""
    for number in range(5):
        world.write(f"m{number}")
    statements = []
    sa.event.listen(
        world.engine, "before_cursor_execute", lambda *event: statements.append(event[2])
    )
    world.deliver_pending()
    assert world.asked == [[uuid.UUID(ANN)]]
    assert world.mails == [(f"m{number}", f"m{number}") for number in range(5)]
    assert set(world.states().values()) == {("sent", 1)}
    # The claim, the count for the recipient, the note, and that of states().
    assert len(statements) == 4, statements
    world.deliver_pending()
    assert len(statements) == 5, statements
    assert world.data == {"request_id": "timer"}


def test_each_gets_what_came_of_it(world):
    """One that fails, is refused or goes to nobody is noted with the others, with a log line of its
    own request; the others go."""
    for subject in ("a", "later", "refused", "b"):
        world.write(subject)
    world.write("gone", user_id=uuid.UUID(BOB))
    world.meet = {"later": failing(NotNow("smtp_451")), "refused": failing(Undeliverable("x"))}
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        world.deliver_pending()
    assert subjects(world) == ["a", "b"]
    assert world.states() == {
        "a": ("sent", 1), "b": ("sent", 1), "later": ("pending", 1), "refused": ("failed", 1),
        "gone": ("skipped", 1),
    }  # fmt: skip
    assert {line["request_id"] for line in lines} == {"later", "refused", "gone"}
    assert world.rows("SELECT count(DISTINCT xmin::text) FROM notifications") == [(1,)]
    codes = dict(world.rows("SELECT subject, failure_code FROM notifications"))
    assert codes == {
        "a": None, "b": None, "later": "smtp_451", "refused": "x", "gone": "user_gone",
    }  # fmt: skip


def test_a_batch_ends_when_its_time_is_used(world):
    """What was not begun is free at once and was not tried; the next batch has it."""
    for number in range(4):
        world.write(f"m{number}")

    def slow():
        world.now += BUDGET / 2 + SECOND

    world.meet = {f"m{number}": (slow,) for number in range(4)}
    world.deliver_pending()
    assert subjects(world) == ["m0", "m1"]
    assert world.states()["m2"] == world.states()["m3"] == ("pending", 0)
    assert world.waiting() == {"m2", "m3"}
    world.deliver_pending()
    assert subjects(world) == ["m0", "m1", "m2", "m3"]
    assert set(world.states().values()) == {("sent", 1)}


def test_a_claim_outlives_the_work(world):
    """Addresses that are slow leave time for one message at least, and the claim for its server."""
    world.write("m0")
    world.write("m1")
    claimed = world.now

    def slow():
        world.now += BUDGET

    world.meet = {"addresses": (slow,)}
    world.deliver_pending()
    assert subjects(world) == ["m0"]
    assert claimed + CLAIM - world.now >= datetime.timedelta(seconds=100)


def test_users_away_cost_no_try(world):
    """All of the batch is free again, and the round is over."""
    for number in range(3):
        world.write(f"m{number}")
    world.meet = {"addresses": failing(Unavailable())}
    world.deliver_pending()
    assert len(world.asked) == 1
    assert set(world.states().values()) == {("pending", 0)}
    assert world.waiting() == {"m0", "m1", "m2"}


def test_users_that_go_away_end_the_round(world):
    """What was sent is noted, the one that met it waits, the rest is free."""
    world.write("first")
    world.write("reset", reset_id=uuid.uuid4())
    world.write("rest")
    world.deliver_pending()
    assert subjects(world) == ["first"]
    assert world.states() == {"first": ("sent", 1), "reset": ("pending", 1), "rest": ("pending", 0)}
    assert world.waiting() == {"rest"}
    assert len(world.asked) == 1


def test_a_death_before_the_note_repeats_the_batch_and_no_more(world, monkeypatch):
    """Until the claim ends nobody has them; then each goes once more."""
    for number in range(BATCH + 3):
        world.write(f"m{number:02}")
    with monkeypatch.context() as process:
        process.setattr(leases, "close", lambda *outcome: failing(Killed())[0]())
        with pytest.raises(Killed):
            world.deliver_pending()
    assert len(world.mails) == BATCH
    world.deliver_pending()
    assert len(world.mails) == BATCH + 3
    world.now += CLAIM
    world.deliver_pending()
    assert len(world.mails) == 2 * BATCH + 3
    assert {status for status, _ in world.states().values()} == {"sent"}


def test_one_that_kills_its_process_takes_no_other_with_it(world):
    """After the first death each of its batch goes alone: the others leave, it is given up."""
    for subject in ("a", "deadly", "b", "c"):
        world.write(subject)
    world.meet = {"deadly": failing(Killed())}
    deaths = 0
    for _ in range(10):
        try:
            world.deliver_pending(max_attempts=3)
        except Killed:
            deaths += 1
        world.now += CLAIM
    assert deaths == 3
    assert world.states()["deadly"] == ("failed", 4)
    assert all(world.states()[subject] == ("sent", 2) for subject in "abc")
    assert subjects(world).count("a") == 2
    assert subjects(world).count("b") == subjects(world).count("c") == 1


def test_who_is_too_late_changes_nothing(world):
    """What the next has sent meanwhile was sent then."""
    for number in range(3):
        world.write(f"m{number}")

    def too_long():
        world.meet = {}
        world.now += CLAIM
        world.deliver_pending()
        world.now += SECOND

    world.meet = {"m0": (too_long,)}
    world.deliver_pending()
    assert world.rows("SELECT DISTINCT sent_at FROM notifications") == [(world.now - SECOND,)]
    assert {status for status, _ in world.states().values()} == {"sent"}
    assert {attempts for _, attempts in world.states().values()} == {2}


def test_a_claim_that_is_over_gives_nothing_back(world):
    """What another one has claimed since stays theirs, and counts as a try."""
    world.write("m0")
    with statement_by_statement(world.engine) as connection:
        mine = leases.take(connection, world.now, BATCH)
        world.now += CLAIM
        assert len(leases.take(connection, world.now, BATCH)) == 1
        leases.release(connection, mine, world.now)
    assert world.states() == {"m0": ("pending", 2)}
    assert world.waiting() == set()


@pytest.fixture
def let_go(monkeypatch):
    """Nothing is delivered until `let_go()`, so that it goes by the batch."""
    real = commands.deliver_pending
    monkeypatch.setattr(commands, "deliver_pending", lambda *anything: None)
    return lambda: monkeypatch.setattr(commands, "deliver_pending", real)


def test_each_is_known_by_the_trace_that_it_belongs_to(let_go, service, sql, call, config):
    """Through the service: several requests in one batch, noted together."""
    order_id, traces = str(uuid.uuid4()), [f"{number:032x}" for number in range(1, 4)]
    for trace_id in traces:
        event = of_order(order_id, user_id=ANN)
        trace = {"traceparent": f"00-{trace_id}-{1:016x}-01"}
        publish(config["AMQP_URI"], "orders", "order_paid", event, headers=trace)
    eventually(lambda: len(sql("SELECT 1 FROM inbox")) == 3)
    assert call.notifications.sent_about(order_id=order_id) == {"items": []}
    let_go()
    sent = eventually(lambda: call.notifications.sent_about(order_id=order_id)["items"])
    assert {one["trace_id"] for one in sent} == set(traces)
    noted = "SELECT DISTINCT xmin::text, sent_at FROM notifications WHERE channel = 'email'"
    assert len(sql(noted)) == 1
    newest = call.notifications.sent_about(order_id=order_id, limit=2)["items"]
    assert newest == sent[1:]
    assert call.notifications.sent_about(order_id=str(uuid.uuid4())) == {"items": []}


def test_instances_share_batches(let_go, start, settings, users, call, monkeypatch):
    """More messages than several batches, three instances: each message goes once."""
    delivered, real = [], MailFiles.deliver

    def deliver(self, message):
        delivered.append(message.id)
        real(self, message)

    monkeypatch.setattr(MailFiles, "deliver", deliver)
    start(*[NotificationsService] * 3, notifications=settings)
    message = {"user_id": ANN, "channel": "email", "subject": "x", "body": "y"}
    for _ in range(3 * BATCH + 5):
        call.notifications.send(**message)
    let_go()
    eventually(lambda: len(delivered) == 3 * BATCH + 5)
    assert len(set(delivered)) == len(delivered)


def test_mail_leaves_half_of_the_processor_to_others(world, monkeypatch):
    """After each batch it rests for as long as the process was at work."""
    rests = []
    monkeypatch.setattr(commands, "sleep", rests.append)

    def work():
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass

    world.write("long")
    world.meet["long"] = (work,)
    world.deliver_pending()
    assert max(rests) >= 0.05
