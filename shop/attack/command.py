"""`shop attack`, from the options to the exit status."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shop.attack import bombs, floods, ownership, races, streams, tokens
from shop.attack.check import Check, Outcome
from shop.attack.door import Door
from shop.attack.scene import Refused, Scene, until
from shop.chaos.own_shop import private_shop
from shop.local.place import Place, running
from shop.verify.show import first, tally

CHECKS: list[Check] = [
    check
    for battery in (streams, bombs, tokens, ownership, races, floods)
    for check in battery.CHECKS
]
BATTERIES = tuple(dict.fromkeys(check.battery for check in CHECKS))
#: Of a shop of one's own: what one buyer may hold unpaid, for that of chaos has no such bounds; and
#: the description of the API, which is read for what there is to attack.
SETTINGS = {"ORDER_MAX_OPEN": "10", "ORDER_MAX_UNPAID_UNITS": "20", "HTTP_DOCS": "true"}
#: Seconds that the shop may take to recover from one attack before the next.
CALM = 20


def attack(only: Iterable[str], short: bool, folder: Path, console: Console) -> int:
    """Try everything at this clone's running shop, or at one of its own in `folder` when none is;
    0 when nothing worked. LocalError when it can't be tried at all."""
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    wanted = set(only) or set(BATTERIES)
    checks = [one for one in CHECKS if one.battery in wanted and not (short and one.is_long)]
    with ExitStack() as stack:
        start = partial(stack.enter_context, private_shop(folder, say, **SETTINGS))
        place = Place.of_running() if running() else start()
        say(f"attacking {place.url}")
        began = time.monotonic()
        found = _try_all(checks, Scene(Door(place.url), short), say)
    console.print(_table(found))
    for check, outcome in found.items():
        for line in first(f"{check.battery}: {check.name}", outcome.findings):
            say(line)
    findings = sum(len(outcome.findings) for outcome in found.values())
    tried = sum(outcome.tried for outcome in found.values())
    say(f"{tried:,} tries in {time.monotonic() - began:.0f} s; {findings} findings")
    return 1 if findings else 0


def _try_all(checks: list[Check], scene: Scene, say: Callable[[str], None]) -> dict[Check, Outcome]:
    began = time.monotonic()
    found: dict[Check, Outcome] = {}
    try:
        for number, check in enumerate(checks, 1):
            after = f"{time.monotonic() - began:.0f} s"
            say(f"[{number} of {len(checks)}, {after}] {check.battery}: {check.name}")
            found[check] = outcome = Outcome()
            try:
                until(CALM, partial(_is_calm, scene))
                check.run(scene, outcome)
            except Refused as refused:
                outcome.findings.append(str(refused))
    finally:
        scene.clear()
    return found


def _is_calm(scene: Scene) -> bool:
    """Whether the attack before is over for everybody."""
    return scene.admin.call("GET", "/api/products?limit=1").status == 200


def _table(found: dict[Check, Outcome]) -> Table:
    rows = (
        ([check.battery, check.name, check.rule], outcome.tried, len(outcome.findings))
        for check, outcome in found.items()
    )
    return tally(["battery", "attack", "what has to come of it", "tries", "findings"], rows)
