"""Bytes that are not, or not quite, HTTP: each has its one reading, or is refused, and nothing that
hides in it is run as a request of its own."""

import re

from shop.attack.check import Check, Outcome
from shop.attack.hostile import STREAMS
from shop.attack.scene import Scene

#: What can be read, and what takes a body.
_READ, _WRITE = "/api/categories", "/api/inventory/check"
#: Interim answers are none.
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) ")


def _battery(scene: Scene, outcome: Outcome) -> None:
    for stream in STREAMS:
        answer = scene.door.send(stream.at(_READ, _WRITE), scene.door.new_address())
        statuses = [int(status) for status in _STATUS.findall(answer)]
        # What the toy of the table takes may mean nothing to this shop.
        outcome.expect(
            len(statuses) == stream.answers
            and all(
                400 <= status < 500 if expected >= 400 else status < 500
                for status, expected in zip(statuses, stream.statuses, strict=False)
            ),
            f"{stream.name}: answered {statuses}",
        )
    health = scene.stranger.call("GET", "/api/products?limit=1")
    outcome.expect(health.status == 200, f"after the streams the shop answers {health.status}")


CHECKS = [Check("streams", "hostile bytes", "read in one way, nothing behind them run", _battery)]
