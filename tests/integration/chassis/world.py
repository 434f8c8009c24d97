"""Toy services that use every part of the chassis."""

import eventlet
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import BigInteger, Identity, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.database import Database
from chassis.errors import Conflict
from chassis.events import EventOutbox, event_handler
from chassis.fields import Expected, Id, Request
from chassis.models import NAMING, InboxMixin, OutboxMixin
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Outbox(OutboxMixin, Base):
    pass


class Inbox(InboxMixin, Base):
    pass


class Note(Base):
    """What a handler has done, once for each time it did it."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class Said(Expected):
    text = fields.String(required=True)


class Echo(Request):
    number = Id(required=True)
    times = fields.Integer(load_default=1)


class Full(Conflict):
    code = "full"


class Speaker(Service):
    """Answers calls and publishes `said`."""

    name = "speaker"
    db = Database(Base, package="chassis")
    events = EventOutbox({"said": Said})

    @rpc
    def plain(self, a, b=2):
        return [a, b]

    @rpc(Echo)
    def echo(self, number, times):
        return [number] * times

    @rpc
    def full(self):
        raise Full("Nothing fits any more.", left=3)

    @rpc
    def broken(self):
        raise KeyError("password=hunter2")

    @rpc
    def unsendable(self):
        return object()

    @rpc
    def slow(self, seconds):
        eventlet.sleep(seconds)
        return seconds

    @rpc(once=True)
    def note(self, text, seconds=0, key=None):
        eventlet.sleep(seconds)
        with self.db.begin() as session:
            session.add(Note(text=text))

    @rpc
    def say(self, text, fail=False):
        with self.db.begin() as session:
            session.add(Note(text=f"said {text}"))
            facts = {} if text is None else {"text": text}
            event_id = self.events.record(session, "said", facts)
            if fail:
                raise Full()
        return event_id

    @rpc
    def take_back(self, text):
        """Record an event in a part of the transaction that is rolled back by itself."""
        with self.db.begin() as session:
            part = session.begin_nested()
            self.events.record(session, "said", {"text": text})
            part.rollback()

    @rpc
    def sleep_in_database(self, seconds):
        with self.db.autocommit() as connection:
            return str(connection.execute(sa.select(sa.func.pg_sleep(seconds))).scalar())

    @rpc
    def lose_connection(self):
        """Read, and have the server end the connection before it goes back to the pool."""
        with self.db.autocommit() as connection, self.db.autocommit() as other:
            mine = connection.execute(sa.select(sa.func.pg_backend_pid())).scalar()
            other.execute(sa.select(sa.func.pg_terminate_backend(mine)))
            return mine


class Middle(Service):
    """Calls speaker on behalf of others."""

    name = "middle"
    speaker = RpcProxy("speaker", timeout=5, errors=(Full,))

    @rpc
    def pass_on(self, method, *args):
        return getattr(self.speaker, method)(*args)

    @rpc
    def typed(self):
        try:
            self.speaker.full()
        except Full as full:
            return {"class": "Full", "left": full.data["left"], "detail": full.detail}


class Gatherer(Service):
    """Handles `shouted` and `whispered` by the batch, which tests put into its queues; a test sets
    what happens before and during its transaction."""

    name = "gatherer"
    db = Database(Base, package="chassis")

    before = staticmethod(lambda events: None)
    during = staticmethod(lambda events: None)

    @event_handler("speaker", "shouted", Said, batch=10)
    @event_handler("speaker", "whispered", Said, batch=10)
    def on_shouted(self, events):
        self.before(events)
        with self.db.once_each(events) as (session, fresh):
            session.add_all(Note(text=f"gathered {event.payload['text']}") for event in fresh)
            session.flush()
            self.during(fresh)


class Listener(Service):
    """Handles `said`; how it does is set by the tests."""

    name = "listener"
    db = Database(Base, package="chassis")
    speaker = RpcProxy("speaker", timeout=2)

    #: Called in the handler's transaction, and before it.
    during = staticmethod(lambda event: None)
    before = staticmethod(lambda event: None)

    @event_handler("speaker", "said", Said)
    def on_said(self, event):
        type(self).before(event)
        with self.db.once(event) as session:
            session.add(Note(text=f"heard {event.payload['text']}"))
            session.flush()
            type(self).during(event)

    @rpc
    def quick(self):
        return "quick"
