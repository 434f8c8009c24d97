"""pg_dump and pg_restore, of the version of the server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from shop.options import CannotTell

#: The setting that names the folder of the tools.
SETTING = "PG_BIN"
_INSTALLED = "usr/lib/postgresql/*/bin"


def version_of(url: str) -> int:
    """The major version of the server there."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SHOW server_version_num"))) // 10_000


def tools_for(version: int) -> Path:
    """The folder with the tools of that version. Older ones cannot read the server, and what newer
    ones write it may not take."""
    seen = {}
    for folder in _folders():
        seen[folder] = _version(folder)
        if seen[folder] == version:
            return folder
    found = ", ".join(f"{found or 'none'} in {folder}" for folder, found in seen.items())
    raise CannotTell(
        f"the server is PostgreSQL {version}, the tools are not",
        f"{found or 'none found'}; name the folder of the right ones in {SETTING}",
    )


def run(folder: Path, tool: str, url: str, *arguments: str) -> None:
    """Run a tool on a database; what it complains of is `CannotTell`. The password goes by the
    environment, for everybody can read a command line."""
    target = sa.make_url(url).set(drivername="postgresql")
    address = target._replace(password=None).render_as_string()
    environment = dict(os.environ)
    if target.password is not None:
        environment["PGPASSWORD"] = str(target.password)
    done = subprocess.run(
        [str(folder / tool), "--no-password", *arguments, f"--dbname={address}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise CannotTell(f"{tool} failed", done.stderr.strip() or f"status {done.returncode}")


def _folders() -> Iterator[Path]:
    if given := os.environ.get(SETTING):
        yield Path(given)
        return
    try:
        from shop.local.postgres import binaries
        from shop.local.server import LocalError
    except ModuleNotFoundError:  # not where the services run in containers
        pass
    else:
        with suppress(LocalError):
            yield binaries()
    if found := shutil.which("pg_dump"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/").glob(_INSTALLED))


def _version(folder: Path) -> int | None:
    try:
        told = subprocess.run(
            [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
    return int(found[1]) if found else None
