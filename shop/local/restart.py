"""`shop restart`: other processes take the place of those that run, one at a time.

A process starts in the service's free slot. When RabbitMQ says that it reads calls, an old one is
stopped, which frees its slot for the next. So there are never fewer than before, nor more than one
more, and a service of one process is renewed like one of several.
"""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shop.local.control import Control
from shop.local.place import Place
from shop.local.ready import await_consumers, consumers
from shop.local.server import LocalError
from shop.local.terminal import Terminal
from shop.packages import SERVICE_PACKAGES, in_call_order

#: The exception to "who is called comes first": payments refuses calls that do not say who acts, as
#: orders of the release before makes them, while orders of this one gets along with payments of
#: that one.
CALLERS_FIRST = {"payments"}

#: Seconds for a process to be ready.
PATIENCE = 120


def restart(packages: Iterable[str]) -> None:
    """Renew the processes of `packages`, or all; LocalError when there is no shop, or one that was
    started does not get ready. Then it is stopped, and the old ones stay."""
    requested = set(packages) or set(SERVICE_PACKAGES)
    if unknown := requested.difference(SERVICE_PACKAGES):
        raise LocalError(
            f"{', '.join(sorted(unknown))}: services are {', '.join(SERVICE_PACKAGES)}"
        )
    place, terminal = Place.of_running(), Terminal()
    terminal.line(f"this clone's shop at {place.url}")
    uri = place.environment()["AMQP_URI"]
    with _alone(place), Control(place.control, place.control_password) as control:
        for package in order():
            if package in requested:
                _renew(control, uri, package, terminal)


def order() -> list[str]:
    """All packages in the order of their renewal: new calls meet who knows them. The gateway, which
    calls all others, is the last."""
    found = in_call_order()
    late = [package for package in found if package in CALLERS_FIRST]
    return [*(package for package in found[:-1] if package not in late), *late, found[-1]]


def _renew(control: Control, uri: str, package: str, terminal: Terminal) -> None:
    slots = control.processes(package)
    old = [name for name, is_up in slots.items() if is_up]
    if len(old) == len(slots):
        terminal.say(f"stopping {old[-1]}, which an interrupted restart has left")
        control.stop(old.pop())
    for name in old:
        _replace(control, uri, package, name, terminal)


def _replace(control: Control, uri: str, package: str, old: str, terminal: Terminal) -> None:
    new = next(name for name, is_up in control.processes(package).items() if not is_up)
    there = consumers(uri, package)
    control.start(new)
    try:
        await_consumers(uri, {package: there + 1}, PATIENCE)
    except BaseException:
        control.stop(new)
        raise
    control.stop(old)
    terminal.say(f"{new} has taken over from {old}")


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    with (place.var / "restart.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError("another restart is under way") from None
        yield
