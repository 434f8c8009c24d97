"""Streams of notifications: who listens, and what is new for whom.

A broadcast of `notifications` says for which user there is something; the stream then asks for what
came after the last one that it sent. As broadcasts may be lost, now and then it is asked for all
streams at once how far their feeds have come.
"""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from chassis import config as configuration
from chassis.broker.inbound import Inbound
from chassis.errors import Fault, TooManyRequests
from chassis.events.broadcast import Listener
from chassis.hooks import Hooks
from chassis.identity import Identity
from chassis.rpc import ReplyListener, ServiceProxy
from chassis.web.errors import Overloaded
from chassis.web.streams import EventStream, frame
from contracts.notifications.events import FeedGrew
from contracts.notifications.interface import Notifications
from gateway.sessions import SessionStates
from gateway.settings import LiveSettings

log = getLogger(__name__)

#: Streams that ask at once; with the rest of the world behind them, requests must still get by.
_ASKING = 8
#: Events in one answer, and users in one question.
_PAGE, _USERS = 100, 500


class NotificationStreams(Hooks, DependencyProvider):
    """Injects `open(user_id, after, check)`, which makes the answer of a stream."""

    inbound = Inbound()
    replies = ReplyListener()
    states = SessionStates()

    target_service = "notifications"
    subscribes = (("notifications", "feed_grew"),)

    def __init__(self) -> None:
        self.feeds: dict[str, set[Feed]] = {}
        self.asking = Semaphore(_ASKING)
        self.notifications: Notifications
        self._settings: dict[str, Any] = {}
        self._count = 0
        self._stopping = Event()

    def check(self) -> None:
        """Read the section `live`; raises Nameko's `ConfigurationError`."""
        section = self.container.config.get("live") or {}
        self._settings = configuration.check(LiveSettings(), section, "live")

    def setup(self) -> None:
        self.check()
        # What is asked for streams is nobody's request: it has no deadline or id of one.
        self.notifications = ServiceProxy(self.replies, self.target_service, timeout=5)
        for source, broadcast_type in self.subscribes:
            Listener(self.inbound, source, broadcast_type, FeedGrew, self._hear)
        self.states.when_ended(lambda user_id: self._hear({"user_id": user_id}))

    def start(self) -> None:
        self.container.spawn_managed_thread(self._catch_up_for_ever, identifier="live")

    def stop(self) -> None:
        if not self._stopping.ready():
            self._stopping.send()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> NotificationStreams:
        return self

    def open(self, identity: Identity, after: int | None, check: Callable[[], Any]) -> EventStream:
        """A stream of what comes into the user's feed after a position; None is from now on.

        `check` is called before anything is sent and raises a `Fault` when the stream must end; the
        end of the session ends it as well.
        """
        user_id = str(identity.actor.user_id)
        page = self.notifications.since(user_id=user_id, after=None)
        end = page["reached"]
        start = end if after is None else min(after, end)
        feed = Feed(self, identity, start, check, is_behind=start < end)
        return EventStream(feed, self._settings["heartbeat_seconds"])

    def enter(self, feed: Feed) -> None:
        """Begin to tell `feed` of news; raises `Overloaded` or `TooManyRequests`."""
        if self._count >= self._settings["max_streams"]:
            raise Overloaded(retry_after=10)
        own = self.feeds.get(feed.user_id, set())
        if len(own) >= self._settings["max_streams_of_user"]:
            raise TooManyRequests(
                "This user has as many streams open as there may be",
                code="too_many_streams",
                retry_after=10,
            )
        self.feeds.setdefault(feed.user_id, own).add(feed)
        self._count += 1

    def leave(self, feed: Feed) -> None:
        """The counterpart of `enter`."""
        own = self.feeds[feed.user_id]
        own.remove(feed)
        if not own:
            del self.feeds[feed.user_id]
        self._count -= 1

    def _hear(self, news: dict[str, Any]) -> None:
        for feed in self.feeds.get(str(news["user_id"]), ()):
            feed.hear()

    def _catch_up_for_ever(self) -> None:
        while not self._stopping.ready():
            with eventlet.Timeout(self._settings["catch_up_seconds"], False):
                self._stopping.wait()
            try:
                self._catch_up()
            except Fault as fault:
                log.debug("streams could not catch up: %s", fault.code)
            except Exception:
                log.exception("streams could not catch up")

    def _catch_up(self) -> None:
        self.states.look_up(feed.identity for feeds in self.feeds.values() for feed in feeds)
        users = list(self.feeds)
        for first in range(0, len(users), _USERS):
            some = users[first : first + _USERS]
            for row in self.notifications.positions(user_ids=some)["items"]:
                for feed in self.feeds.get(row["user_id"], ()):
                    if feed.position < row["last"]:
                        feed.hear()


class Feed:
    """The source of one stream: a user's feed from a position on. It keeps no events, only how far
    they were sent and whether there may be more."""

    def __init__(
        self,
        streams: NotificationStreams,
        identity: Identity,
        position: int,
        check: Callable[[], Any],
        is_behind: bool,
    ):
        self.identity = identity
        self.user_id = str(identity.actor.user_id)
        self.position = position
        self._streams = streams
        self._check = check
        self._is_behind = is_behind
        self._is_new = True
        self._wake: Callable[[], None] = lambda: None

    def open(self, wake: Callable[[], None]) -> None:
        self._streams.enter(self)
        self._wake = wake

    def close(self) -> None:
        self._streams.leave(self)

    def hear(self) -> None:
        """There may be something new."""
        self._is_behind = True
        self._wake()

    def pull(self) -> bytes:
        self._may_go_on()
        if self._is_new:
            # Also without any news, a client that comes back knows from where on.
            self._is_new = False
            return b"retry: 2000\n" + frame("ready", {}, self.position)
        if not self._is_behind:
            return b""
        self._is_behind = False
        return b"".join(self._news())

    def _news(self) -> list[bytes]:
        try:
            with self._streams.asking:
                page = self._streams.notifications.since(
                    user_id=self.user_id, after=self.position, limit=_PAGE
                )
        except Fault as fault:  # the next look at all positions finds it again
            log.debug("a stream could not be told what is new: %s", fault.code)
            return []
        self._may_go_on()  # it may have waited
        self._is_behind = self._is_behind or len(page["items"]) == _PAGE
        frames = []
        for item in page["items"]:
            position = item.pop("position")
            frames.append(frame("notification", item, position))
        self.position = page["reached"]
        return frames

    def _may_go_on(self) -> None:
        self._check()
        self._streams.states.refuse_ended(self.identity)
