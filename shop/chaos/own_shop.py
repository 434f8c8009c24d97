"""A shop of its own for a run: private servers, a folder of its own, times that pass quickly."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shop.local.place import FOLLOWING, Place
from shop.local.server import LocalError, free_ports, sweep

#: Seconds: unpaid orders end soon, and what stands still is soon looked after. A few buyers place
#: all orders, and leave many unpaid.
SETTINGS = {
    "ORDER_MAX_OPEN": "10000",
    "ORDER_MAX_UNPAID_UNITS": "10000",
    "ORDER_PAYMENT_WINDOW": "12",
    "ORDER_PAYMENT_PATIENCE": "6",
    "ORDER_PAYMENT_RECHECK": "2",
    "ORDER_CHECKOUT_PATIENCE": "6",
    "PAYMENT_PROVIDER": "simulator",
    "PAYMENT_CALL_SECONDS": "2",
    "PAYMENT_GIVE_UP_SECONDS": "6",
    "PAYMENT_SETTLING_SECONDS": "1",
    "SIMULATOR_CHALLENGE_SECONDS": "8",
    "METRICS_PORT": "0",
}
#: Settings that would lead to servers that are not its own.
_OF_OTHERS = ("AMQP_URI", "DATABASE_URL", "STRIPE_API_KEY")
#: Seconds for the shop to be ready, and to end.
PATIENCE, GRACE = 180, 90


@contextmanager
def private_shop(folder: Path, tell: Callable[[str], None], **environment: str) -> Iterator[Place]:
    """`shop run` in `folder`, which it keeps; its log is `log` in there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("HTTP_PORT", *FOLLOWING)
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    settings = ports | SETTINGS | {"SHOP_VAR": str(folder / "var")} | environment
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_OTHERS}
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", "from shop.cli import main; main()", "run"],
            env=inherited | settings,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    before = {name: os.environ.get(name) for name in settings}
    try:
        tell(f"starting a shop of its own in {folder}")
        _await_ready(process, log)
        os.environ.update(settings)
        yield Place.from_environment()
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            sweep(folder / "var", grace=0)


def _await_ready(process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while "ready: " not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > until:
            raise LocalError(f"the shop did not start: see {log}")
        time.sleep(0.2)
