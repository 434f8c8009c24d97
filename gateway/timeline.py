"""The timeline of an order, composed of what two services know: orders has its steps, notifications
the mails about it that have left (pattern: API composition)."""

import datetime
import heapq
from collections.abc import Sequence
from typing import Any

from chassis.identity import Actor
from chassis.messages import Json
from contracts.orders.enums import TimelineCause, TimelineKind


def with_mails(entries: Sequence[Json], sent: Sequence[Json]) -> list[Json]:
    """The entries of orders, in their order, and among them by their moment what was `sent`.

    Of what was sent, orders may have entries already: those that earlier versions have written.
    """
    known = {entry["detail"].get("notification_id") for entry in entries}
    mails = [_entry(one) for one in sent if one["notification_id"] not in known]
    return list(heapq.merge(entries, mails, key=_moment))


def _entry(sent: Json) -> Json:
    return {
        "at": sent["at"],
        "kind": TimelineKind.MAIL,
        "cause": TimelineCause.NOTIFICATION_SENT,
        "actor": Actor.SYSTEM.role,
        "detail": {"channel": sent["channel"], "notification_id": sent["notification_id"]},
        "trace_id": sent["trace_id"],
    }


def _moment(entry: Json) -> Any:
    return datetime.datetime.fromisoformat(entry["at"])
