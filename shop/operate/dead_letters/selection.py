"""The dead letters that a command selects."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from chassis.broker.topology import dead_letters_of
from shop.operate.dead_letters.letter import Letter
from shop.operate.formatting import Span


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; one that is None or empty lets everything through."""

    queues: tuple[str, ...] = ()
    event: str | None = None
    older_than: datetime.timedelta | None = None
    younger_than: datetime.timedelta | None = None
    ids: tuple[str, ...] = ()

    def boxes(self, services: list[str]) -> list[str]:
        """The dead-letter queues to walk, of those of `services`; raises click's `BadParameter`
        for a queue that is none of theirs."""
        if not self.queues:
            return [dead_letters_of(service) for service in services]
        return list(dict.fromkeys(dead_letters_of(_owner(name, services)) for name in self.queues))

    def matches(self, letter: Letter, now: datetime.datetime) -> bool:
        """Whether it is one of them. Of what age is not known, it is neither older nor younger."""
        age = letter.age(now)
        return (
            (not self.ids or letter.id in self.ids)
            and (self.event is None or letter.event == self.event)
            and (self.older_than is None or (age is not None and age >= self.older_than))
            and (self.younger_than is None or (age is not None and age < self.younger_than))
            and (not self.queues or any(_lies_in(letter, name) for name in self.queues))
        )


def filter_options(command: Any) -> Any:
    """The options that a `Selection` is made of."""
    added: list[Callable[[Any], Any]] = [
        click.option(
            "--queue",
            "queues",
            multiple=True,
            metavar="NAME",
            help="A service, its dead-letter queue, or a handler's queue (evt-…); may be repeated.",
        ),
        click.option("--event", metavar="TYPE", help="Events of this type, e.g. order_paid."),
        click.option("--older-than", type=Span(), help="Parked at least so long ago, e.g. 2h."),
        click.option("--younger-than", type=Span(), help="Parked less long ago, e.g. 15m."),
    ]
    for add in reversed(added):
        command = add(command)
    return command


def id_option(command: Any) -> Any:
    return click.option(
        "--id", "ids", multiple=True, metavar="ID", help="This letter; may be repeated."
    )(command)


def _owner(name: str, services: list[str]) -> str:
    """The service in whose dead letters those of `name` are."""
    for service in services:
        handler = name.rpartition("--")[2] if name.startswith("evt-") else ""
        own = (service, dead_letters_of(service), f"rpc-{service}")
        if name in own or handler.startswith(f"{service}."):
            return service
    known = ", ".join(services)
    raise click.BadParameter(f"{name!r} is no queue of these services: {known}.")


def _lies_in(letter: Letter, name: str) -> bool:
    return name in (letter.queue, letter.queue.removesuffix(dead_letters_of("")), letter.origin)
