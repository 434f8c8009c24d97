"""One instant in all databases.

Nothing is written anywhere while the snapshots are taken, so together they show what a power cut
would have left: never an effect without its cause. Writers wait for as long as that takes, some
milliseconds as a rule; the databases are read from the snapshots after it, at leisure.
"""

import datetime
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from shop.options import CannotTell

#: Seconds that writers are held up by one try. Less than the second after which PostgreSQL looks
#: for deadlocks: where one of theirs and this one wait for each other, this one gives way.
HOLD = 0.8
#: Seconds to try for, and between two tries, in which all that has waited goes on.
_PATIENCE, _PAUSE = 60, 0.5

_TABLES = (
    "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ' ORDER BY tablename)"
    " FROM pg_tables WHERE schemaname = 'public'"
)
#: A statement that took too long, a lock that was not to be had, a deadlock.
_NOT_NOW = ("57014", "55P03", "40P01")


@dataclass(frozen=True)
class Instant:
    """`snapshots` and `revisions` (of the migrations) by package; they hold until the block ends.
    `held` is for how many seconds nothing was written."""

    at: datetime.datetime
    snapshots: dict[str, str]
    revisions: dict[str, str]
    held: float


@contextmanager
def instant(urls: Mapping[str, str]) -> Iterator[Instant]:
    """Have all databases stand still, look, and let them go on; raises `CannotTell` when they would
    not for a minute."""
    with ExitStack() as stack:
        locks = {name: _connect(stack, url, "READ COMMITTED") for name, url in urls.items()}
        looks = {name: _connect(stack, url, "REPEATABLE READ") for name, url in urls.items()}
        tables = {name: lock.scalar(sa.text(_TABLES)) for name, lock in locks.items()}
        if empty := [name for name, found in tables.items() if found is None]:
            raise CannotTell("nothing to back up", f"the database of {empty[0]} has no tables")
        until = time.monotonic() + _PATIENCE
        while True:
            began = time.monotonic()
            try:
                if _lock(locks, tables, began + HOLD):
                    found = {name: _look(look) for name, look in looks.items()}
                    break
            finally:
                for lock in locks.values():
                    lock.rollback()
            if time.monotonic() > until:
                raise CannotTell(
                    "no quiet moment was found", f"something has been writing for {_PATIENCE} s"
                )
            time.sleep(_PAUSE)
        yield Instant(
            at=datetime.datetime.now(datetime.UTC),
            snapshots={name: snapshot for name, (snapshot, _) in found.items()},
            revisions={name: revision for name, (_, revision) in found.items()},
            held=time.monotonic() - began,
        )


def _connect(stack: ExitStack, url: str, isolation: str) -> sa.Connection:
    engine = sa.create_engine(
        url,
        poolclass=sa.NullPool,
        isolation_level=isolation,
        connect_args={"application_name": "shop backup", "connect_timeout": 5},
    )
    return stack.enter_context(engine.connect())


def _lock(locks: Mapping[str, sa.Connection], tables: Mapping[str, str], until: float) -> bool:
    """Let writers finish and begin nothing new, in each database; False when time is up."""
    for name, lock in locks.items():
        left = max(1, round(1000 * (until - time.monotonic())))
        try:
            lock.execute(sa.text(f"SET LOCAL statement_timeout = {left}"))
            lock.execute(sa.text(f"LOCK TABLE {tables[name]} IN SHARE MODE"))
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "pgcode", None) in _NOT_NOW:
                return False
            raise
    return True


def _look(look: sa.Connection) -> tuple[str, str]:
    """The snapshot, which its first statement fixes, and the revision in it."""
    snapshot = look.scalar(sa.text("SELECT pg_export_snapshot()"))
    return snapshot, look.scalar(sa.text("SELECT version_num FROM alembic_version"))
