"""How often a password may be guessed, and a new one asked for.

Attempts are counted by the name that was given and by the network they come from, whether there is
such a user or not. The first few are free; each one more doubles the wait before the next, up to a
bound. An attempt counts before the password is looked at, so that a hundred at the same instant are
a hundred; a right password takes it back.

Nobody can lock an owner out: a network from which a user has signed in before is counted by itself,
whatever others do to the name (as OWASP's device cookies do it), and a new password by mail makes
the network known. Rows hold digests, neither names nor addresses.
"""

import datetime
import hashlib
import math
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import TooManyRequests
from users import expiry
from users.models import KnownNetwork, Throttle

#: Attempts are forgotten so long after the last one.
MEMORY = datetime.timedelta(days=1)
#: A network stays known so long after the user was last seen there.
KNOWN = datetime.timedelta(days=90)


@dataclass(frozen=True)
class Limit:
    """`free` attempts; then a wait of 1 s, 2 s, 4 s … up to `longest` (seconds)."""

    scope: str
    free: int
    longest: int


NAME = Limit("name", free=5, longest=300)
#: A user where that user has signed in before.
FAMILIAR = Limit("familiar", free=10, longest=300)
#: People may share a network, so it has more; but who tries many names comes to an end.
NETWORK = Limit("network", free=50, longest=900)
#: Codes of a user's authenticator app; a right password does not take these back.
TOTP = Limit("totp", free=5, longest=900)
#: Mails with the way to a new password: to one address, and from one network.
RESET_NAME = Limit("reset-name", free=3, longest=900)
RESET_NETWORK = Limit("reset-network", free=20, longest=900)


@dataclass(frozen=True)
class Attempt:
    """What was counted for one attempt to sign in."""

    by_name: bytes
    by_network: bytes | None = None


def sign_in(
    session: Session, name: str, user_id: UUID | None, network: str | None, now: datetime.datetime
) -> Attempt:
    """Count an attempt to sign in as `name`, which is `user_id`'s or nobody's.

    Raises `TooManyRequests`; roll back then, for what is refused does not count.
    """
    if network is None:
        return Attempt(take(session, NAME, now, name))
    if _is_known(session, user_id, network):
        return Attempt(take(session, FAMILIAR, now, name, network))
    # Always in this order, or two could wait for each other.
    return Attempt(take(session, NAME, now, name), take(session, NETWORK, now, network))


def second_factor(
    session: Session, user_id: UUID, network: str | None, now: datetime.datetime
) -> Attempt:
    """Count an attempt at the code of a user; raises `TooManyRequests`. Where the user has signed
    in before it is counted by itself."""
    if network is not None and _is_known(session, user_id, network):
        return Attempt(take(session, TOTP, now, str(user_id), network))
    return Attempt(take(session, TOTP, now, str(user_id)))


def succeed(
    session: Session, attempt: Attempt, user_id: UUID, network: str | None, now: datetime.datetime
) -> None:
    """`forgive`, and know the network from now on: who is there is the user."""
    forgive(session, attempt, now)
    remember(session, user_id, network, now)


def forgive(session: Session, attempt: Attempt, now: datetime.datetime) -> None:
    """The password or code was right: forget the failures under this name, and take this attempt
    back from the network."""
    session.execute(delete(Throttle).where(Throttle.key == attempt.by_name))
    if attempt.by_network is not None:
        take_back(session, attempt.by_network, now)


def touch(session: Session, attempt: Attempt, now: datetime.datetime) -> None:
    """Note once more when an attempt failed: something is written then, whoever it was about."""
    session.execute(update(Throttle).where(Throttle.key == attempt.by_name).values(failed_at=now))


def take_back(session: Session, key: bytes, now: datetime.datetime) -> None:
    """It was no failure: forget one attempt of those that `take` has counted."""
    less = func.greatest(Throttle.failures - 1, 0)
    session.execute(update(Throttle).where(Throttle.key == key).values(failures=less, retry_at=now))


def remember(session: Session, user_id: UUID, network: str | None, now: datetime.datetime) -> None:
    """A user has shown to be at `network`."""
    if network is None:
        return
    seen = insert(KnownNetwork).values(user_id=user_id, network=_digest(network), seen_at=now)
    session.execute(
        seen.on_conflict_do_update(index_elements=["user_id", "network"], set_={"seen_at": now})
    )


def take(session: Session, limit: Limit, now: datetime.datetime, *what: str) -> bytes:
    """Count one attempt at `what`, and return its key; raises `TooManyRequests`."""
    key = _digest(limit.scope, *what)
    failures = case((Throttle.failed_at < now - MEMORY, 1), else_=Throttle.failures + 1)
    wait = func.least(limit.longest, func.power(2, func.least(failures - limit.free, 30)))
    seconds = case((failures < limit.free, 0), else_=wait)
    first = insert(Throttle).values(key=key, failures=1, failed_at=now, retry_at=now)
    counted = first.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "failures": failures,
            "failed_at": now,
            "retry_at": now + seconds * datetime.timedelta(seconds=1),
        },
        # The first ones never wait: of two at once, one may have read the clock before the other.
        where=or_(Throttle.failures < limit.free, Throttle.retry_at <= now),
    )
    if session.scalar(counted.returning(Throttle.key)) is None:
        retry_at = session.scalars(select(Throttle.retry_at).where(Throttle.key == key)).one()
        left = math.ceil((retry_at - now).total_seconds())
        raise TooManyRequests("Too many attempts; wait a little.", retry_after=max(1, left))
    return key


def is_free(session: Session, limit: Limit, now: datetime.datetime, *what: str) -> bool:
    """Whether `take` would count one more attempt at `what`."""
    blocked = exists().where(Throttle.key == _digest(limit.scope, *what), Throttle.retry_at > now)
    return not session.scalar(select(blocked))


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Forget old attempts and networks, `limit` rows of each at most."""
    expiry.delete_some(session, Throttle.key, Throttle.failed_at < now - MEMORY, limit)
    expiry.delete_some(session, KnownNetwork.id, KnownNetwork.seen_at < now - KNOWN, limit)


def _is_known(session: Session, user_id: UUID | None, network: str) -> bool:
    known = exists().where(
        KnownNetwork.user_id == user_id, KnownNetwork.network == _digest(network)
    )
    return session.scalars(select(known)).one()


def _digest(*what: str) -> bytes:
    return hashlib.sha256("\0".join(what).lower().encode()).digest()
