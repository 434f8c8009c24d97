"""kill -9 under load: what is lost, doubled, oversold or left behind of acknowledged orders."""

from dataclasses import asdict

from bench import install
from bench.contenders import ALL
from bench.kills import trial
from bench.kills.faults import VICTIMS
from bench.measures import Record, Table
from bench.rig import Rig
from bench.run import Run

#: Who is put to the test, and how often each victim dies.
CONTENDERS = ("shop", "stock_nameko", "fastapi_httpx", "faststream")
ROUNDS, QUICK_ROUNDS = 2, 1

_HEADS = ["contender", "kills", "acknowledged", "lost", "duplicated", "oversold", "stuck"]
_NOTES = [
    f"Killed in turn, while {trial.BUYERS} buyers order and repeat under one `Idempotency-Key`"
    f" whatever got no answer: {', '.join(VICTIMS)}. What ended is started again at once.",
    "Acknowledged: orders answered 201. Lost: not in the books. Duplicated: orders beyond the first"
    " for one intent. Oversold: pieces promised beyond what there is; the shop's tables refuse that"
    " to everybody. Stuck: orders that hold no stock, and stock held for no order,"
    f" {trial.SETTLE} s after the last kill, or {trial.REST} s later at most while a checkout is"
    " still to be undone.",
]


def measure(run: Run) -> list[Record]:
    """On servers of its own, for they are killed too."""
    install.python_packages(run.show.say)
    rounds = QUICK_ROUNDS if run.is_quick else ROUNDS
    rows = []
    with Rig(run.rig.folder / "kills", run.show.say) as rig:
        for name in CONTENDERS:
            found = trial.run(ALL[name], rig, run.show, rounds)
            run.show.say(f"kills: {name}: {found}")
            counts = (found.kills, found.acknowledged, *asdict(found.wrong).values())
            rows.append([ALL[name].title, *map(str, counts)])
    return [Record("kills", "kill -9 under load", table=Table(_HEADS, rows), notes=_NOTES)]
