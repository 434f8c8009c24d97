"""One contender under the script, on servers that are there to be killed."""

import datetime
import json
import time
import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.contenders import Contender, Place
from bench.kills import books
from bench.kills.books import Wrong
from bench.kills.buyers import Buyers
from bench.kills.faults import VICTIMS, Keeper, kill
from bench.people import ADDRESS, Buyer, sign_up
from bench.rig import Rig
from bench.show import Show
from bench.started import Started
from chassis.identity import Actor, Role, Signer, public_jwk
from shop.local.server import free_ports

#: Buyers at once, products that they want, how many of those are scarce, and pieces of each.
BUYERS, PRODUCTS, FEW, PIECES = 12, 39, 8, 60
#: Orders between two kills, and seconds after which the next comes all the same.
ORDERS_BETWEEN, LULL = 40, 8
#: Seconds from the last kill to the comparison; and how long what is under way may take beyond.
SETTLE, REST = 30, 90


@dataclass(frozen=True)
class Outcome:
    """What a contender went through, and what came of it."""

    kills: int
    acknowledged: int
    refused: int
    given_up: int
    wrong: Wrong


def run(contender: Contender, rig: Rig, show: Show, rounds: int) -> Outcome:
    """Kill each victim once a round, while buyers buy; then compare."""
    name = contender.name
    rig.copies(rig.template(PRODUCTS, 0), name, contender.packages)
    rig.rows(f"{name}_products", books.SCARCE, PIECES, FEW)
    started, people = _start(contender, rig)
    try:
        buyers = Buyers(started.port, people, range(1, PRODUCTS + 1))
        with Keeper(started):
            with buyers:
                for number, victim in enumerate(VICTIMS * rounds, 1):
                    buyers.await_placed(ORDERS_BETWEEN, LULL)
                    show.doing("kills", f"{name}: kill {number}, {victim}")
                    kill(victim, started, rig)
                last = time.monotonic()
                buyers.await_placed(ORDERS_BETWEEN, LULL)
            show.doing("kills", f"{name}: coming to rest")
            _rest(rig, name, last)
    finally:
        started.stop()
    return Outcome(
        kills=len(VICTIMS) * rounds,
        acknowledged=buyers.counts["placed"],
        refused=buyers.counts["refused"],
        given_up=buyers.counts["given up"],
        wrong=books.compare(rig, name, buyers.placed),
    )


def _start(contender: Contender, rig: Rig) -> tuple[Started, list[Buyer]]:
    """The contender, and buyers whose tokens it knows: the shop's own or, for peers, ours."""
    key = Ed25519PrivateKey.generate()
    place = Place(
        ports=tuple(free_ports(3)),
        amqp_uri=rig.amqp(contender.name),
        prefix=contender.name,
        dsn=rig.dsn,
        token_keys=json.dumps({"keys": [public_jwk(key.public_key(), "bench")]}),
        mails=rig.folder / "mails",
    )
    logs = rig.folder / "logs"
    logs.mkdir(exist_ok=True)
    started = Started(contender, place, logs, rig.folder)
    try:
        started.start()
        people = (
            _strangers(key)
            if contender.needs_tokens
            else sign_up(started.port, BUYERS, rig.folder / "mails")
        )
    except BaseException:
        started.stop()
        raise
    return started, people


def _strangers(key: Ed25519PrivateKey) -> list[Buyer]:
    signer = Signer(key, "bench", "shop", "shop-api", datetime.timedelta(hours=1))
    now = datetime.datetime.now(datetime.UTC)
    buyers = (Actor(uuid.uuid4(), Role.CUSTOMER) for _ in range(BUYERS))
    return [Buyer(signer.sign(buyer, now), ADDRESS) for buyer in buyers]


def _rest(rig: Rig, prefix: str, since: float) -> None:
    time.sleep(max(0.0, since + SETTLE - time.monotonic()))
    while books.under_way(rig, prefix) and time.monotonic() < since + SETTLE + REST:
        time.sleep(0.5)
