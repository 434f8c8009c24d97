"""Runs Schemathesis as a program: its threads and sockets are none of eventlet's business."""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import eventlet

HERE = pathlib.Path(__file__).parent
#: A stream has no end, and so no answer to look at.
ENDLESS = "stream_notifications"
#: Ends a session that the list has named: that of the run itself, and all else would be refused.
LAST = "end_session"
#: The shop promises an answer within 15 s, be it a 504; what takes twice as long hangs.
REQUEST_SECONDS = 30


@dataclass(frozen=True)
class Plan:
    """How much is tried: `examples` for each operation in each phase; with `seconds`, random
    phases are repeated until so many have passed."""

    phases: str
    examples: int
    seed: int
    seconds: int = 0


def fuzz(url, plan, log, token=None, known=None, spared=()):
    """Send requests made from the description at the address `url`; returns the exit status, 0
    when nothing was found. What was found is in the file `log`, with a curl command for each.

    `known` and `spared` are for hooks.py."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml"),
        *("run", url, "--no-color", "--continue-on-failure"),
        *("--exclude-operation-id", ENDLESS, "--exclude-operation-id", LAST),
        *("--request-timeout", str(REQUEST_SECONDS)),
        *("--phases", plan.phases, "--seed", str(plan.seed)),
        *("--max-examples", str(plan.examples)),
    ]
    if plan.seconds:
        command += ["--max-time", str(plan.seconds)]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    told = {
        "FUZZ_KNOWN": json.dumps(known or {}),
        "FUZZ_SPARED": json.dumps(list(spared)),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
    }
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=log.parent, env=os.environ | told, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:  # the shop runs in this process meanwhile
                eventlet.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    return process.returncode
