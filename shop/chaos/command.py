"""`shop chaos`, from the options to the exit status."""

import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from shop.chaos import plan, show
from shop.chaos.own_shop import private_shop
from shop.chaos.run import Aim, Run
from shop.local.place import Place
from shop.local.server import LocalError
from shop.verify.show import verdicts, violations


def chaos(aim: Aim, here: bool, folder: Path, console: Console) -> int:
    """0 when every rule held. `here`: against this clone's running shop instead of one of its own,
    whose data are in `folder` until the next run."""
    say = lambda text: console.print(text, markup=False, highlight=False)  # noqa: E731
    options = f"--orders {aim.orders} --kills {aim.kills} --buyers {aim.buyers}"
    say(f"to repeat it: shop chaos --seed {aim.seed} {options}")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if here:
            place = _running()
        else:
            shutil.rmtree(folder / "shop", ignore_errors=True)
            settings = plan.environment(aim.seed)
            place = stack.enter_context(private_shop(folder / "shop", say, **settings))
        run = Run(place, aim, is_private=not here)
        with show.Progress(run, console):
            outcome = run.go()
    console.print(verdicts(outcome.verdicts))
    for line in violations(outcome.verdicts):
        say(line)
    if outcome.fell_short:
        say(f"the shop stood still before it had {aim.orders} orders")
    for name, count in outcome.unrest.items():
        say(f"the shop does not come to rest: {count} {name}")
    say(
        f"{outcome.journal.counts['orders']} orders, {len(outcome.faults)} faults,"
        f" {outcome.kills} of them kill -9, in {outcome.seconds:.0f} s;"
        f" {outcome.violations} violations"
    )
    say(f"picture and report: {' '.join(str(path) for path in show.save(outcome, folder))}")
    return 1 if outcome.violations else 0


def new_seed() -> int:
    """A seed that nobody had before."""
    return secrets.randbelow(10**6)


def _running() -> Place:
    place = Place.of_running()
    if not (place.rabbitmq and place.postgres):
        raise LocalError("this clone's shop does not run on servers of its own")
    return place
