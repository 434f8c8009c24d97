"""Password hashes, made beside the hub.

argon2id takes tens of milliseconds of processor time, in which nothing else of this process would
run. So it runs in real threads, and in few of them: however many people log in at once, half of
the processors is left for everything else.
"""

import os
import secrets
from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from chassis import deadline
from chassis.errors import DeadlineExceeded

#: OWASP's floor for argon2id: 19 MiB, two passes, one lane.
ARGON2 = Argon2(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)

#: Hashes computed at once.
AT_ONCE = max(1, (os.cpu_count() or 1) // 2)

#: Threads for what else eventlet may do in them, such as looking up a host's name.
_OTHERS = 1

#: Seconds that a worker without a deadline waits for its turn.
PATIENCE = 10.0


class PasswordHasher(DependencyProvider):
    """Injects a `Handle`."""

    def __init__(self) -> None:
        self.turns = Semaphore(AT_ONCE)
        self.nobodys_hash = ""

    def setup(self) -> None:
        tpool.set_num_threads(AT_ONCE + _OTHERS)
        self.nobodys_hash = ARGON2.hash(secrets.token_hex())

    def get_dependency(self, worker_ctx: Any) -> "Handle":
        return Handle(self, worker_ctx)


class Handle:
    """Hashing, as a worker sees it; raises `DeadlineExceeded` when its turn comes too late."""

    def __init__(self, provider: PasswordHasher, worker_ctx: Any):
        self._provider = provider
        self._worker_ctx = worker_ctx

    def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its parameters and a new salt."""
        return self._in_thread(ARGON2.hash, password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed. None, for a user who does not exist,
        takes as long and is never right."""
        is_right = self._in_thread(_verify, password_hash or self._provider.nobodys_hash, password)
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return ARGON2.check_needs_rehash(password_hash)

    def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        patience = deadline.remaining(self._worker_ctx.data, PATIENCE)
        if not self._provider.turns.acquire(timeout=patience):
            raise DeadlineExceeded("Too many people are signing in just now.", retry_after=1)
        try:
            return tpool.execute(function, *args)
        finally:
            self._provider.turns.release()


def _verify(password_hash: str, password: str) -> bool:
    try:
        return ARGON2.verify(password_hash, password)
    except VerificationError:
        return False
