"""What goes wrong, and when: decided by the seed alone.

The same seed gives the same faults, each at the same number of orders, and the same wishes of the
same buyers. What meets what is up to the machine: a repeat is the same weather, not the same
accident.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from shop.packages import DATABASE_PACKAGES, SERVICE_PACKAGES

KILL, PAUSE, CUT = "kill", "pause", "cut"
RABBITMQ, POSTGRESQL = "rabbitmq", "postgresql"
SERVERS = (RABBITMQ, POSTGRESQL)

#: Of a hundred faults: how many are of each kind, and how many hit a server.
_KINDS = {KILL: 70, PAUSE: 15, CUT: 15}
_SERVERS_SHARE = 0.08
#: Between two faults: parts of the mean number of orders.
_GAPS = (0.2, 1.8)
#: Seconds for which a process stands still or is cut off.
_LENGTHS = (0.5, 4.0)

#: How likely each fault of the simulated payment provider is, for a charge, refund or webhook.
PROVIDER = {
    "partial_capture": 0.03,
    "challenge": 0.03,
    "timeout_before": 0.02,
    "timeout_after": 0.05,
    "down": 0.02,
    "notice_twice": 0.1,
    "notice_late": 0.1,
    "notice_lost": 0.1,
    "notice_reordered": 0.1,
}


@dataclass(frozen=True)
class Fault:
    """After `gap` orders more something happens to `victim` (a process, or a server) for `seconds`.

    What is cut is the victim's connections to `peer`, a server.
    """

    gap: int
    kind: str
    victim: str
    seconds: float = 0.0
    peer: str | None = None

    def __str__(self) -> str:
        return f"cut {self.victim} from {self.peer}" if self.peer else f"{self.kind} {self.victim}"


def faults(seed: int, orders: int, kills: int) -> Iterator[Fault]:
    """Without an end; so many that there are about `kills` kills in `orders` orders."""
    chance = random.Random(f"faults {seed}")  # noqa: S311
    mean = orders / kills * _KINDS[KILL] / sum(_KINDS.values())
    while True:
        gap = round(mean * chance.uniform(*_GAPS))
        (kind,) = chance.choices(list(_KINDS), list(_KINDS.values()))
        seconds = 0.0 if kind == KILL else chance.uniform(*_LENGTHS)
        if kind == CUT:
            peer = chance.choice(SERVERS)
            victim = chance.choice(DATABASE_PACKAGES if peer == POSTGRESQL else SERVICE_PACKAGES)
            yield Fault(gap, kind, victim, seconds, peer)
        else:
            at_server = chance.random() < _SERVERS_SHARE
            victim = chance.choice(SERVERS if at_server else SERVICE_PACKAGES)
            yield Fault(gap, kind, victim, seconds)


def environment(seed: int) -> dict[str, str]:
    """That of a shop whose payment provider has faults: as many for each seed; whom they befall
    hangs on the keys as well, which are new in each run. By an odd seed stock is held so shortly
    that it may be lost, and is taken by a call before an order is paid."""
    faults = {"SIMULATOR_SEED": str(seed), "SIMULATOR_CHANCES": json.dumps(PROVIDER)}
    return faults | {"ORDER_RESERVATION_GRACE": "20"} if seed % 2 else faults


def buyer(seed: int, number: int) -> random.Random:
    """What decides the wishes of one buyer."""
    return random.Random(f"buyer {seed} {number}")  # noqa: S311
