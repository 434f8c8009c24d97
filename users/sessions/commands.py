"""Signing in and out. `network` is where the client is, None among services."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.users.enums import Action
from contracts.users.errors import BadCredentials, SessionEnded, TotpRequired
from users.accounts import queries as account_queries
from users.accounts import store as account_store
from users.audit import commands as audit
from users.context import Context
from users.origin import Origin, origin_of
from users.second_factor import store as second_factor_store
from users.sessions import access_tokens, authentication, signing_keys, store, throttle


def log_in(
    context: Context,
    name: Mapping[str, str],
    password: str,
    network: str | None,
    user_agent: str | None,
) -> Json:
    """Tokens for a new session of the user with this name (`email` or `username`) and password.

    Raises `BadCredentials`, `TooManyRequests`, and `TotpRequired` for who has a second factor.
    """
    origin = origin_of(network, user_agent)
    for _ in range(2):  # another login at the same instant may have renewed the hash
        user, attempt = authentication.authenticate(context, name, password, network, origin)
        tokens = challenge = None
        with context.db.begin() as session:
            if second_factor_store.is_enabled(session, user["id"]):
                challenge = second_factor_store.challenge(session, user, context.clock())
                throttle.forgive(session, attempt, context.clock())
            else:
                tokens = sign_in(context, session, user, attempt, network, origin)
        if tokens or challenge:
            authentication.renew_hash(context, user, password)
        if challenge is not None:
            raise TotpRequired(challenge=challenge)
        if tokens is not None:
            return tokens
    raise BadCredentials()


def sign_in(
    context: Context,
    session: Session,
    user: RowMapping,
    attempt: throttle.Attempt,
    network: str | None,
    origin: Origin,
    **detail: Any,
) -> Json | None:
    """Tokens for a new session of a user who is authenticated, in the transaction of `session`;
    None when the user is gone or has another password by now."""
    grant = store.start(context, session, user["id"], user["password_hash"], origin)
    if grant is None:
        return None
    throttle.succeed(session, attempt, user["id"], network, context.clock())
    audit.record(context, session, Action.SIGNED_IN, user["id"], grant.actor, origin, **detail)
    return access_tokens.issue(context, session, grant)


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
        actor = account_queries.actor_of(account_queries.get(session.connection(), over.user_id))
        origin = origin_of(network)
        audit.record(context, session, Action.SIGNED_OUT, over.user_id, actor, origin)
        return [over.id]


def end(context: Context, user_id: UUID, session_id: UUID, network: str | None) -> None:
    """End one session of one's own; raises `NotFound`, also for somebody else's."""
    with context.db.begin() as session:
        if not store.end(context, session, user_id, session_id):
            raise NotFound("There is no such session.")
        actor = account_queries.actor_of(account_queries.get(session.connection(), user_id))
        _record_end(context, session, user_id, actor, network, count=1)


def end_all(
    context: Context, user_id: UUID, but: UUID | None, actor: Actor, network: str | None
) -> Sequence[UUID]:
    """End all sessions of a user, one's own or, for admins, anybody's; `but` goes on. Returns their
    ids."""
    if actor.user_id != user_id:
        require_admin(actor)
    with context.db.begin() as session:
        account_store.lock(session, user_id)
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
