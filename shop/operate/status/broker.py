"""RabbitMQ, the services that answer over it, and the dead letters in it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from chassis.broker.topology import dead_letters_of
from shop.health import ask
from shop.operate.broker import connected
from shop.operate.dead_letters.box import counts
from shop.operate.formatting import count
from shop.operate.status.finding import Finding
from shop.options import CannotTell, WrongSetting


def look(uri: str, services: list[str]) -> Iterator[Finding]:
    """Raises `WrongSetting` when `uri` is none; a broker that is away is a finding."""
    boxes = [dead_letters_of(service) for service in services]
    try:
        with connected(uri) as connection:
            letters = counts(connection, boxes)
    except WrongSetting:
        raise
    except CannotTell as away:
        yield Finding("server", "RabbitMQ", away.message, "start it, or set AMQP_URI")
        return
    yield Finding("server", "RabbitMQ", "answers")
    yield from _services(uri, services)
    yield from (_box(box, letters.get(box)) for box in boxes)


def _services(uri: str, services: list[str]) -> Iterator[Finding]:
    with ThreadPoolExecutor(len(services)) as pool:
        answers = list(pool.map(partial(ask, uri), services))
    for service, answer in zip(services, answers, strict=True):
        advice = None if answer == "ok" else "start it, or see its log"
        yield Finding("service", service, answer, advice)


def _box(box: str, letters: int | None) -> Finding:
    if letters is None:
        return Finding("dead letters", box, "no such queue", "shop migrate")
    advice = "shop dead-letters list" if letters else None
    return Finding("dead letters", box, count(letters, "letter"), advice)
