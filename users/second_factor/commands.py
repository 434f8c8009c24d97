"""What people do with their second factor: enrol, confirm, give it up.

Each code that is tried counts before it is looked at (`users.throttle`), by user. What
changes is told to the owner, who may not be the one who did it. `network` is where the client is,
None among services.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.identity import Actor, Role
from chassis.staff import require_admin
from contracts.users.enums import Action
from contracts.users.errors import TotpNotEnabled
from users import store as user_store
from users import throttle
from users.audit import commands as audit
from users.context import Context
from users.models import User
from users.origin import origin_of
from users.passwords import authentication
from users.second_factor import store, totp
from users.sessions import store as session_store


def enrol(context: Context, user_id: UUID, password: str) -> dict[str, str]:
    """`secret` and `uri` for an authenticator app; raises `TotpEnabled`."""
    user = user_store.read(context, user_id)
    authentication.prove(context, user, password)
    with context.db.begin() as session:
        user_store.lock(session, user_id)
        secret = store.enrol(session, user_id, context.clock())
    return {"secret": secret, "uri": totp.uri(secret, user["email"], context.identity["issuer"])}


def confirm(context: Context, user_id: UUID, code: str, network: str | None) -> list[str]:
    """Recovery codes, of which nobody is told again; the second factor counts from now on."""
    attempt = _count(context, user_id, network)
    with context.db.begin() as session:
        user = user_store.lock(session, user_id)
        codes = store.confirm(session, user_id, code, context.clock())
        if codes is None:
            raise _wrong_code()
        throttle.forgive(session, attempt, context.clock())
        _tell(context, session, user, Action.TOTP_ENABLED, network)
        return codes


def disable(context: Context, user_id: UUID, password: str, code: str, network: str | None) -> None:
    """The password alone is enough again."""
    with _proven(context, user_id, password, code, network) as (session, user):
        store.forget(session, user_id)
        _tell(context, session, user, Action.TOTP_DISABLED, network)


def renew_recovery_codes(
    context: Context, user_id: UUID, password: str, code: str, network: str | None
) -> list[str]:
    """Other recovery codes, of which nobody is told again; those of before end."""
    with _proven(context, user_id, password, code, network) as (session, user):
        codes = store.renew_recovery_codes(session, user_id)
        _tell(context, session, user, Action.RECOVERY_CODES_RENEWED, network)
        return codes


def reset(context: Context, user_id: UUID, actor: Actor, network: str | None) -> Sequence[UUID]:
    """Take the second factor from a user who has lost it (admins); all sessions end, whose ids are
    returned. Raises `TotpNotEnabled`."""
    require_admin(actor)
    with context.db.begin() as session:
        user_store.lock(session, user_id)
        if not store.forget(session, user_id):
            raise TotpNotEnabled()
        ended = session_store.end_all(context, session, user_id)
        audit.record(context, session, Action.TOTP_RESET, user_id, actor, origin_of(network))
        context.events.record(session, "totp_disabled", {"user_id": user_id})
        return ended


@contextmanager
def _proven(
    context: Context, user_id: UUID, password: str, code: str, network: str | None
) -> Iterator[tuple[Session, User]]:
    """A transaction of a user, locked, who has shown both factors; raises `Invalid` and
    `TotpNotEnabled`."""
    authentication.prove(context, user_store.read(context, user_id), password)
    attempt = _count(context, user_id, network)
    with context.db.begin() as session:
        user = user_store.lock(session, user_id)
        if store.verify(session, user_id, code, context.clock()) is None:
            raise _wrong_code()
        throttle.forgive(session, attempt, context.clock())
        yield session, user


def _tell(
    context: Context, session: Session, user: User, action: Action, network: str | None
) -> None:
    """Tell of a change in the audit trail, and its event, which has the same name."""
    actor = Actor(user.id, Role(user.role))
    audit.record(context, session, action, user.id, actor, origin_of(network))
    context.events.record(session, str(action), {"user_id": user.id})


def _count(context: Context, user_id: UUID, network: str | None) -> throttle.Attempt:
    with context.db.begin() as session:
        return throttle.second_factor(session, user_id, network, context.clock())


def _wrong_code() -> Invalid:
    return Invalid(errors={"code": ["Wrong, used or too old."]})
