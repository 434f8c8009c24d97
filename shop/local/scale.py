"""How many processes of each service run: `orders=2 gateway=2`, one of those that are not named."""

from collections.abc import Iterable, Mapping

from shop.local.server import LocalError
from shop.packages import SERVICE_PACKAGES

#: Most of one service: one machine is no cluster.
MOST = 16

Scale = Mapping[str, int]


def scale_of(wishes: Iterable[str]) -> dict[str, int]:
    """The number of processes of every service; LocalError for a wish that makes no sense."""
    scale = dict.fromkeys(SERVICE_PACKAGES, 1)
    told = set()
    for wish in " ".join(wishes).split():
        name, _, number = wish.partition("=")
        if name not in scale:
            raise LocalError(f"SCALE, {wish}: services are {', '.join(scale)}")
        if not (
            number.isascii() and number.isdecimal() and len(number) < 4 and 1 <= int(number) <= MOST
        ):
            raise LocalError(f"SCALE, {wish}: say {name}=N with a number from 1 to {MOST}")
        if name in told:
            raise LocalError(f"SCALE, {wish}: {name} is there twice")
        told.add(name)
        scale[name] = int(number)
    return scale


def slots(scale: Scale, package: str) -> int:
    """Places for processes of a service: one more than run, so that the next can start before
    another one stops."""
    return scale[package] + 1


def first_slots(scale: Scale) -> dict[str, int]:
    """How many slots, of all that there are, come before those of each service."""
    before, counted = {}, 0
    for package in scale:
        before[package] = counted
        counted += slots(scale, package)
    return before
