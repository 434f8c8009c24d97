"""Another password: by the present one, or by a token that was mailed. `network` is where the
client is, None among services."""

import datetime
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.messages import Json
from contracts.users.enums import Action
from contracts.users.errors import ResetTokenInvalid
from users import erasure, throttle
from users import store as user_store
from users.audit import commands as audit
from users.context import Context
from users.models import User
from users.origin import origin_of
from users.passwords import authentication, challenges, resets
from users.passwords.rules import NAMES, TOO_EASY, is_guessable
from users.sessions import store as session_store


def change(
    context: Context, user_id: UUID, current: str, new: str, network: str | None
) -> Sequence[UUID]:
    """Another password instead of the present one; all sessions end, whose ids are returned."""
    user = user_store.read(context, user_id)
    _refuse_guessable(context, new, user)
    authentication.prove(context, user, current)
    new_hash = context.passwords.hash(new)
    with context.db.begin() as session:
        owner, action = user_store.lock(session, user_id), Action.PASSWORD_CHANGED
        ended = _replace(context, session, owner, user, new_hash, action, network)
        if ended is None:
            raise authentication.wrong_password()
        return ended


def request_reset(context: Context, email: str, network: str | None) -> None:
    """Have a token mailed if the address is a user's. To the one who asks it is the same
    whether it is; `TooManyRequests` is about the network alone."""
    now = context.clock()
    with context.db.begin() as session:
        if network is not None:
            throttle.take(session, throttle.RESET_NETWORK, now, network)
        if not throttle.is_free(session, throttle.RESET_NAME, now, email):
            return
        throttle.take(session, throttle.RESET_NAME, now, email)
        user = user_store.by_name(session.connection(), email=email)
        lifetime = datetime.timedelta(seconds=context.settings["reset_token_seconds"])
        reset = resets.request(session, user["id"] if user else None, now + lifetime)
        asked = {"reset_id": reset.id, "user_id": reset.user_id}
        context.events.record(session, "password_reset_requested", asked)


def issue_reset_token(context: Context, reset_id: UUID) -> Json:
    """The token for a mail that is about to leave, where that goes, and for how many seconds the
    token holds at most; raises `NotFound`."""
    with context.db.begin() as session:
        token, email = resets.issue(session, reset_id, context.clock())
    return {"token": token, "email": email, "holds": context.settings["reset_token_seconds"]}


def reset(context: Context, token: str, new: str, network: str | None) -> Sequence[UUID]:
    """Another password by a mailed token; all sessions end, whose ids are returned, and the
    network is known. Raises `ResetTokenInvalid`.

    The token was in a mail, so the address is confirmed. If it had not been, somebody else may
    have made the account: what was put there is forgotten, and `account_recovered` says so.
    """
    with context.db.autocommit() as connection:
        user = resets.owner(connection, token, context.clock())
    _refuse_guessable(context, new, user)
    new_hash, now = context.passwords.hash(new), context.clock()
    with context.db.begin() as session:
        try:
            owner = user_store.lock(session, user["id"])
        except NotFound:  # deleted a moment ago
            raise ResetTokenInvalid() from None
        # After the user, as a change of the address has it.
        resets.redeem(session, token, now)
        action = Action.PASSWORD_RESET
        ended = _replace(context, session, owner, user, new_hash, action, network)
        if ended is None:  # the password has changed since, which ends all tokens
            raise ResetTokenInvalid()
        if not owner.email_verified:
            erasure.forget_person(session, owner)
            owner.email_verified = True
            owner.version += 1
            session.flush()
            context.events.record(session, "account_recovered", {"user_id": owner.id})
        throttle.remember(session, owner.id, network, now)
        return ended


def _refuse_guessable(context: Context, new: str, user: RowMapping) -> None:
    if is_guessable(new, *(user[name] for name in NAMES), *context.settings["shop_names"]):
        raise Invalid(errors={"new_password": [TOO_EASY]})


def _replace(
    context: Context,
    session: Session,
    owner: User,
    seen: RowMapping,
    new_hash: str,
    action: Action,
    network: str | None,
) -> Sequence[UUID] | None:
    """Give a user, who is locked, another password; all sessions, whose ids are returned, and
    mailed tokens end. None, and nothing is done, when the password is not the one that was `seen`
    before."""
    if owner.password_hash != seen["password_hash"]:
        return None
    owner.password_hash = new_hash
    session.flush()  # the user's lock first, as when one is deleted
    ended = session_store.end_all(context, session, owner.id)
    challenges.forget(session, owner.id)
    erasure.end_mailed_tokens(session, owner)
    context.events.record(session, "password_changed", {"user_id": owner.id})
    actor, origin = user_store.actor_of(seen), origin_of(network)
    audit.record(context, session, action, owner.id, actor, origin)
    return ended
