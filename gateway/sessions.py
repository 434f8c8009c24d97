"""Which sessions have ended, though their access tokens still hold (ADR 28).

`users` knows, and broadcasts each end. What was heard is refused at once. Whoever is about to
change something is looked up besides, each session once in `check_seconds` at most, so that a lost
broadcast makes no difference for longer. Customers' reads go by what was heard alone: they cost no
call, and go on while `users` is away.
"""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from eventlet.event import Event
from nameko.extensions import DependencyProvider, SharedExtension

from chassis import config as configuration
from chassis.broker.inbound import Inbound
from chassis.clock import Clock
from chassis.errors import DeadlineExceeded, Unauthenticated, Unavailable
from chassis.events.broadcast import Listener
from chassis.hooks import Hooks
from chassis.identity import Actor, Identity, Role
from chassis.rpc import ReplyListener, ServiceProxy
from contracts.users import answers
from contracts.users.errors import SessionEnded
from contracts.users.events import SessionsEnded
from contracts.users.interface import Users
from gateway.settings import SessionSettings

#: Sessions that are remembered, of those that go on and of those that have ended.
_MAX_REMEMBERED = 20_000
#: Sessions in one question.
_IN_ONE_QUESTION = 500

_ENDED, _STATE = answers.Ended(), answers.SessionState()


class EnrolmentRequired(Unauthenticated):
    """Staff who have signed in with a password alone, where that is not enough (RFC 9470)."""

    code = "totp_enrolment_required"
    title = "Set up your second factor first: POST /api/users/totp"


class SessionStates(Hooks, SharedExtension):
    """What this gateway knows of sessions; asks `users` for the rest."""

    inbound = Inbound()
    replies = ReplyListener()

    def __init__(self) -> None:
        super().__init__()
        #: When `users` last said of a session that it goes on; by its id, or by that of the user
        #: for tokens that name no session.
        self._seen: OrderedDict[UUID, datetime.datetime] = OrderedDict()
        self._ended: OrderedDict[UUID, None] = OrderedDict()
        self._asking: dict[UUID, Event] = {}
        self._ask_again_at = datetime.datetime.min.replace(tzinfo=datetime.UTC)
        self._when_ended: list[Callable[[UUID], None]] = []
        self._check_for = self._trust_for = datetime.timedelta()
        self._users: Users

    def check(self) -> None:
        """Read the section `sessions`; raises Nameko's `ConfigurationError`."""
        section = self.container.config.get("sessions") or {}
        settings = configuration.check(SessionSettings(), section, "sessions")
        self._check_for = datetime.timedelta(seconds=settings["check_seconds"])
        self._trust_for = datetime.timedelta(seconds=settings["trust_seconds"])

    def setup(self) -> None:
        self.check()
        # An answer is for all who wait for it, so nobody's deadline or request id goes along.
        self._users = ServiceProxy(self.replies, "users", timeout=2)
        Listener(self.inbound, "users", "sessions_ended", SessionsEnded, self._hear)

    def when_ended(self, tell: Callable[[UUID], None]) -> None:
        """Have `tell` called with the id of a user of whom sessions have ended."""
        self._when_ended.append(tell)

    def refuse_ended(self, identity: Identity) -> None:
        """Raise `SessionEnded` if it is known here that the session is over; asks nobody."""
        if identity.session_id in self._ended:
            raise SessionEnded()

    def require(self, identity: Identity) -> None:
        """Raise `SessionEnded` unless the session goes on, as `users` said a moment ago or says
        now. While `users` is away, what it said before holds a little longer; after that, raise
        `Unavailable` or `DeadlineExceeded`."""
        self.refuse_ended(identity)
        seen, now = self._seen.get(_key(identity)), Clock.source()
        if seen is not None and now - seen < self._check_for:
            return
        is_trusted = seen is not None and now - seen < self._trust_for
        if is_trusted and now < self._ask_again_at:
            return
        try:
            self._ask_once(identity)
        except (Unavailable, DeadlineExceeded):
            if not is_trusted:
                raise
            self._ask_again_at = now + self._check_for

    def as_of_now(self, identity: Identity, may_enrol: bool = False) -> Actor:
        """The actor with the role of this moment; asks `users` each time. Raises `SessionEnded`,
        and `EnrolmentRequired` for who has to set up a second factor first, unless `may_enrol`."""
        self.refuse_ended(identity)
        state = self._ask(identity)
        if state["must_enrol"] and not may_enrol:
            raise EnrolmentRequired()
        return Actor(identity.actor.user_id, Role(state["role"]))

    def note_ended(self, answer: Any) -> None:
        """What `users` has just answered to whoever ended sessions: the broadcast of it may come
        later than the client's next request."""
        for session_id in _ENDED.load(answer or {})["ended"]:
            self._note(session_id)

    def look_up(self, identities: Iterable[Identity]) -> None:
        """Ask which of these sessions have ended, and note those."""
        users = {i.session_id: _person(i) for i in identities if i.session_id is not None}
        ids = list(users)
        for first in range(0, len(ids), _IN_ONE_QUESTION):
            some = ids[first : first + _IN_ONE_QUESTION]
            answer = self._users.ended_sessions(session_ids=some)
            for session_id in _ENDED.load(answer)["ended"]:
                self._note(session_id)
                self._tell(users[session_id])

    def _hear(self, news: dict[str, Any]) -> None:
        self._seen.pop(news["user_id"], None)
        for session_id in news["session_ids"]:
            self._note(session_id)
        self._tell(news["user_id"])

    def _tell(self, user_id: UUID) -> None:
        for tell in self._when_ended:
            tell(user_id)

    def _note(self, session_id: UUID) -> None:
        self._seen.pop(session_id, None)
        _remember(self._ended, session_id, None)

    def _ask_once(self, identity: Identity) -> None:
        """`_ask`; those who want to know the same meanwhile wait for that answer."""
        key = _key(identity)
        asking = self._asking.get(key)
        if asking is not None:
            asking.wait()
            self.refuse_ended(identity)
            return
        asking = self._asking[key] = Event()
        try:
            self._ask(identity)
        except (Unauthenticated, Unavailable, DeadlineExceeded) as fault:
            asking.send_exception(fault)
            raise
        except BaseException:
            asking.send_exception(Unavailable("Sessions cannot be checked just now."))
            raise
        else:
            asking.send()
        finally:
            del self._asking[key]

    def _ask(self, identity: Identity) -> dict[str, Any]:
        user_id, session_id = _person(identity), identity.session_id
        began = Clock.source()
        try:
            answer = self._users.check_session(user_id=user_id, session_id=session_id)
        except Unauthenticated:
            if session_id is not None:
                self._note(session_id)
            raise SessionEnded() from None
        self.refuse_ended(identity)  # it may have ended while the answer was under way
        _remember(self._seen, _key(identity), began)
        return _STATE.load(answer)


class Sessions(DependencyProvider):
    """Injects the `SessionStates`."""

    states = SessionStates()

    subscribes = (("users", "sessions_ended"),)

    def get_dependency(self, worker_ctx: Any) -> SessionStates:
        return self.states


def _key(identity: Identity) -> UUID:
    return identity.session_id or _person(identity)


def _person(identity: Identity) -> UUID:
    """Who a token is of: nobody signs in as the system."""
    assert identity.actor.user_id is not None
    return identity.actor.user_id


def _remember(memory: OrderedDict[UUID, Any], key: UUID, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _MAX_REMEMBERED:
        memory.popitem(last=False)
