"""Having e-mail addresses confirmed. `network` is where the client is, None among services."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from chassis.errors import AlreadyExists, NotFound
from chassis.identity import Actor, Role
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.users.enums import Action
from contracts.users.errors import AlreadyVerified, VerificationTokenInvalid
from users import store as user_store
from users import throttle
from users.audit import commands as audit
from users.context import Context
from users.models import User
from users.origin import origin_of
from users.passwords import resets
from users.throttle import Limit
from users.verification import store

#: Mails with a token: to one address, whoever asks, and for one user.
BY_ADDRESS = Limit("verify-address", free=3, longest=3600)
BY_USER = Limit("verify-user", free=5, longest=3600)
#: Tokens that do not hold, from one network.
GUESSES = Limit("verify-network", free=20, longest=900)


def welcome(context: Context, session: Session, user: User) -> None:
    """Have the address of a new account confirmed. When it has had too many such mails already
    there is no other one, and the user asks for it later."""
    email = _of(user)
    if throttle.is_free(session, BY_ADDRESS, context.clock(), email):
        _ask(context, session, user, email)


def change(context: Context, session: Session, user: User, email: str) -> None:
    """Have another address of `user`, who is locked, confirmed before it counts. The present one
    gives a change that waits up. What differs in case alone is the same address.

    Raises `AlreadyExists`, and `TooManyRequests`.
    """
    if email.lower() == _of(user).lower():
        user.email = email
        if user.pending_email is not None:
            store.forget(session, user)
        return
    if session.scalar(select(exists().where(func.lower(User.email) == email.lower()))):
        raise AlreadyExists(field="email")
    resets.forget(session, user.id)
    user.pending_email = email
    _ask(context, session, user, email)
    context.events.record(session, "email_change_requested", {"user_id": user.id})


def ask_again(context: Context, user_id: UUID) -> None:
    """Mail another token to the address that a user has yet to confirm; the one before ends.

    Raises `AlreadyVerified`, and `TooManyRequests`.
    """
    with context.db.begin() as session:
        user = user_store.lock(session, user_id)
        if user.pending_email is None and user.email_verified:
            raise AlreadyVerified()
        _ask(context, session, user, user.pending_email or _of(user))


def issue_token(context: Context, verification_id: UUID) -> Json:
    """The token for a mail that is about to leave, and where that goes; raises `NotFound`."""
    with context.db.begin() as session:
        token, email = store.issue(session, verification_id, context.clock())
    return {"token": token, "email": email}


def verify(context: Context, token: str, network: str | None) -> None:
    """Confirm the address that a token was mailed to; whoever has the token may.

    Raises `VerificationTokenInvalid`, `TooManyRequests`, and `AlreadyExists` when somebody else has
    confirmed the address meanwhile.
    """
    guess = _count_guess(context, network)
    with context.db.begin() as session:
        try:
            user = user_store.lock(session, store.owner(session, token, context.clock()))
        except NotFound:  # deleted a moment ago
            raise VerificationTokenInvalid() from None
        is_another = _redeem(context, session, user, token)
        action = Action.EMAIL_CHANGED if is_another else Action.EMAIL_VERIFIED
        actor = Actor(user.id, Role(user.role))
        audit.record(context, session, action, user.id, actor, origin_of(network))
        if guess is not None:
            throttle.take_back(session, guess, context.clock())


def mark_verified(context: Context, user_id: UUID, actor: Actor) -> User:
    """Take the present address of a user as confirmed, on an admin's word."""
    require_admin(actor)
    with context.db.begin() as session:
        user = user_store.lock(session, user_id)
        if not user.email_verified:
            user.email_verified = True
            user.version += 1
            session.flush()
            audit.record(context, session, Action.EMAIL_VERIFIED, user_id, actor)
        return user


def _ask(context: Context, session: Session, user: User, email: str) -> None:
    now = context.clock()
    throttle.take(session, BY_USER, now, str(user.id))
    throttle.take(session, BY_ADDRESS, now, email)
    asked = {"verification_id": store.request(session, user, email, now), "user_id": user.id}
    context.events.record(session, "email_verification_requested", asked)


def _count_guess(context: Context, network: str | None) -> bytes | None:
    """Count a token before it is looked at; raises `TooManyRequests`."""
    if network is None:
        return None
    with context.db.begin() as session:
        return throttle.take(session, GUESSES, context.clock(), network)


def _redeem(context: Context, session: Session, user: User, token: str) -> bool:
    """Confirm the address that the token was sent to; whether it took the place of another. `user`
    is locked, so of two at once the second finds nothing."""
    old_email = user.email
    email = store.redeem(session, token, context.clock())
    if email.lower() != (user.pending_email or _of(user)).lower():
        raise VerificationTokenInvalid()
    if user.pending_email is not None:
        _move(context, session, user)
    user.email_verified = True
    user.version += 1
    user_store.flush(session)
    return user.email != old_email


def _move(context: Context, session: Session, user: User) -> None:
    """The new address takes the place of the old one, which is told if it was ever confirmed."""
    is_told = user.email_verified
    change_id = store.keep_old_email(session, user, context.clock()) if is_told else None
    user.email, user.pending_email = user.pending_email, None
    user_store.flush(session)
    resets.forget(session, user.id)
    changed = {"change_id": change_id, "user_id": user.id}
    context.events.record(session, "email_changed", changed)


def _of(user: User) -> str:
    """The address of a user who is not deleted, which a constraint demands."""
    assert user.email is not None
    return user.email
