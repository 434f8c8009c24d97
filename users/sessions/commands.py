"""Sessions: refreshed, and ended. `network` is where the client is, None among services."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.users.enums import Action
from contracts.users.errors import SessionEnded
from users import store as user_store
from users.audit import commands as audit
from users.context import Context
from users.origin import origin_of
from users.sessions import access_tokens, signing_keys, store


def refresh(context: Context, token: str, network: str | None) -> Json:
    """Tokens for a refresh token. One that was used before ends its session; raises
    `SessionEnded`."""
    origin = origin_of(network)
    ended: dict[str, Any] = {}
    with context.db.begin() as session:
        outcome = store.refresh(context, session, token, origin)
        if isinstance(outcome, store.Grant):
            return access_tokens.issue(context, session, outcome)
        if isinstance(outcome, store.Theft):
            ended = {"ended": [str(outcome.session_id)]}
            reused = Action.REFRESH_TOKEN_REUSED
            audit.record(context, session, reused, outcome.user_id, None, origin)
    raise SessionEnded(**ended)  # only now: the end of a stolen family has to be committed


def log_out(context: Context, token: str, network: str | None) -> Sequence[UUID]:
    """End the session of a refresh token, if it is known; returns its id."""
    with context.db.begin() as session:
        over = store.end_by_token(context, session, token)
        if over is None:
            return []
        actor = user_store.actor_of(user_store.get(session.connection(), over.user_id))
        origin = origin_of(network)
        audit.record(context, session, Action.SIGNED_OUT, over.user_id, actor, origin)
        return [over.id]


def end(context: Context, user_id: UUID, session_id: UUID, network: str | None) -> None:
    """End one session of one's own; raises `NotFound`, also for somebody else's."""
    with context.db.begin() as session:
        if not store.end(context, session, user_id, session_id):
            raise NotFound("There is no such session.")
        actor = user_store.actor_of(user_store.get(session.connection(), user_id))
        _record_end(context, session, user_id, actor, network, count=1)


def end_all(
    context: Context, user_id: UUID, but: UUID | None, actor: Actor, network: str | None
) -> Sequence[UUID]:
    """End all sessions of a user, one's own or, for admins, anybody's; `but` goes on. Returns their
    ids."""
    if actor.user_id != user_id:
        require_admin(actor)
    with context.db.begin() as session:
        user_store.lock(session, user_id)
        ended = store.end_all(context, session, user_id, but)
        _record_end(context, session, user_id, actor, network, count=len(ended))
        return ended


def rotate_keys(context: Context, actor: Actor) -> str:
    """Sign with another key from now on (admins); returns its id."""
    require_admin(actor)
    with context.db.begin() as session:
        audit.record(context, session, Action.SIGNING_KEYS_ROTATED, None, actor)
        return signing_keys.rotate(session, context.clock())


def _record_end(
    context: Context,
    session: Session,
    user_id: UUID,
    actor: Actor,
    network: str | None,
    count: int,
) -> None:
    origin = origin_of(network)
    audit.record(context, session, Action.SESSIONS_ENDED, user_id, actor, origin, count=count)
