"""Installs RabbitMQ with the machine's package manager, where it is missing."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shop.local.rabbitmq import find_binary
from shop.local.server import LocalError

#: Debian starts a server when it is installed, unless this file says no.
POLICY = Path("/usr/sbin/policy-rc.d")

Say = Callable[[str], None]


def install_rabbitmq(say: Say) -> None:
    """Make sure that there is a rabbitmq-server; LocalError when this machine cannot get one."""
    if find_binary():
        return
    if shutil.which("apt-get"):
        say("RabbitMQ is not installed: apt-get install rabbitmq-server (some minutes)")
        with _not_started():
            _run(["apt-get", "update", "-q"], say)
            _run(
                ["apt-get", "install", "-q", "-y", "--no-install-recommends", "rabbitmq-server"],
                say,
            )
    elif shutil.which("brew"):
        say("RabbitMQ is not installed: brew install rabbitmq (some minutes)")
        _run(["brew", "install", "rabbitmq"], say, root=False)
    else:
        raise LocalError("RabbitMQ is not installed and there is no apt-get or brew: set AMQP_URI")
    if not find_binary():
        raise LocalError("RabbitMQ was installed but its rabbitmq-server is not where it should be")


def _run(command: list[str], say: Say, root: bool = True) -> None:
    """Run a package manager, a line now and then to show that it moves; LocalError if it fails."""
    said = time.monotonic()
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    tail: list[str] = []
    with subprocess.Popen(
        _as_root(command) if root else command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            tail = [*tail[-8:], line.rstrip()]
            if time.monotonic() > said + 2:
                said = time.monotonic()
                say("  " + line.strip()[:90])
    if process.returncode != 0:
        raise LocalError(f"{' '.join(command)} failed:\n  " + "\n  ".join(tail))


def _as_root(command: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise LocalError(f"root or sudo is needed to run: {' '.join(command)}")
    return ["sudo", "DEBIAN_FRONTEND=noninteractive", *command]


@contextmanager
def _not_started() -> Iterator[None]:
    """Keep Debian from starting a broker of its own beside ours while it installs one."""
    if POLICY.exists():
        yield
        return
    script = f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 755 {POLICY}"
    subprocess.run(_as_root(["sh", "-c", script]), check=True)
    try:
        yield
    finally:
        subprocess.run(_as_root(["rm", "-f", str(POLICY)]), check=True)
