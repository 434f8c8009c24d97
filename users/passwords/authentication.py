"""Whether somebody knows a password.

No connection is held while a password is hashed, and every guess is counted (`users.throttle`).
`network` is where the one who guesses is, None among services.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import RowMapping, update

from chassis.errors import Invalid
from contracts.users.enums import Action
from contracts.users.errors import BadCredentials
from users import store as user_store
from users import throttle
from users.audit import commands as audit
from users.context import Context
from users.models import User
from users.origin import Origin, origin_of
from users.passwords.rules import PUBLIC

WRONG_PASSWORD = "Wrong password."  # noqa: S105


def authenticate(
    context: Context, name: Mapping[str, str], password: str, network: str | None, origin: Origin
) -> tuple[RowMapping, throttle.Attempt]:
    """The user who has this name (`email` or `username`) and password, and the attempt that was
    counted. `BadCredentials`, after the same time, if there is none; `TooManyRequests` for who has
    guessed too often."""
    with context.db.begin() as session:
        user = user_store.by_name(session.connection(), **name)
        (typed,) = name.values()
        user_id, password_hash = (user["id"], user["password_hash"]) if user else (None, None)
        attempt = throttle.sign_in(session, typed, user_id, network, context.clock())
    is_right = context.passwords.verify(password_hash, password)
    if user is None or not is_right or _is_closed(context, password):
        _note_failure(context, user_id, attempt, origin)
        raise BadCredentials()
    return user, attempt


def verify_credentials(
    context: Context, name: Mapping[str, str], password: str, network: str | None
) -> RowMapping:
    """`authenticate`, for a service that does not sign anybody in."""
    user, attempt = authenticate(context, name, password, network, origin_of(network))
    with context.db.begin() as session:
        throttle.succeed(session, attempt, user["id"], network, context.clock())
    return user


def prove(
    context: Context, user: RowMapping, password: str | None, message: str = WRONG_PASSWORD
) -> None:
    """Raise `Invalid` with `message` unless it is the present password of a user. Guesses are
    counted here too: somebody may hold a stolen token."""
    if password is None:
        raise wrong_password(message)
    with context.db.begin() as session:
        guess = throttle.take(session, throttle.NAME, context.clock(), str(user["id"]))
    if not context.passwords.verify(user["password_hash"], password):
        raise wrong_password(message)
    with context.db.begin() as session:
        throttle.succeed(session, throttle.Attempt(guess), user["id"], None, context.clock())


def renew_hash(context: Context, user: RowMapping, password: str) -> None:
    """Hash the password of a user anew if that was done by the parameters of former days, and store
    the hash unless the password has changed meanwhile."""
    if not context.passwords.is_outdated(user["password_hash"]):
        return
    new_hash = context.passwords.hash(password)
    with context.db.begin() as session:
        unchanged = User.id == user["id"], User.password_hash == user["password_hash"]
        session.execute(update(User).where(*unchanged).values(password_hash=new_hash))


def wrong_password(message: str = WRONG_PASSWORD) -> Invalid:
    """The fault for a wrong present password."""
    return Invalid(errors={"current_password": [message]})


def _is_closed(context: Context, password: str) -> bool:
    """The sample accounts' password, which everybody knows, opens nothing but a demo."""
    return password == PUBLIC and not context.settings["sample_accounts"]


def _note_failure(
    context: Context, user_id: UUID | None, attempt: throttle.Attempt, origin: Origin
) -> None:
    """Tell of a wrong password. For nobody the entry is taken back, so that the time that it
    takes tells nothing."""
    with context.db.begin() as session:
        throttle.touch(session, attempt, context.clock())
        entry = session.begin_nested()
        audit.record(context, session, Action.SIGN_IN_FAILED, user_id, None, origin)
        entry.rollback() if user_id is None else entry.commit()
