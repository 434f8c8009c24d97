"""What happens to a user's account: registered, changed, promoted, deleted."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy import update as update_rows
from sqlalchemy.orm import Session

from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Role
from contracts.users.enums import Action
from contracts.users.errors import LastAdmin, VerificationTokenInvalid
from users.accounts import uniqueness, verification
from users.models import Address, KnownNetwork, User
from users.passwords import resets
from users.second_factor import totp
from users.sessions import commands as session_commands

#: `note(action, **detail)` writes it into the audit trail.
Note = Callable[..., None]

#: What its owner may change, and may leave empty.
OPTIONAL = ("username", "first_name", "last_name", "phone")


def register(
    session: Session,
    profile: Mapping[str, Any],
    password_hash: str,
    role: Role,
    now: datetime.datetime,
    email_verified: bool = False,
) -> User:
    """A new user with a profile (email and what is there of `OPTIONAL`); `AlreadyExists` when
    the e-mail address or the user name is taken, whatever its case."""
    user = User(
        id=uuid4(),
        email_verified=email_verified,
        password_hash=password_hash,
        role=role,
        version=1,
        created_at=now,
        pending_email=None,
        **(dict.fromkeys(OPTIONAL) | dict(profile)),
    )
    session.add(user)
    uniqueness.flush(session)
    return user


def lock(session: Session, user_id: UUID, version: int | None = None) -> User:
    """The user, locked until the transaction ends; raises `NotFound`, also for a deleted one, and
    `PreconditionFailed` when the profile is not at `version` (if given) any more."""
    user = session.scalar(
        select(User)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .with_for_update(key_share=True)
    )
    if user is None:
        raise NotFound("There is no such user.")
    if version not in (None, user.version):
        raise PreconditionFailed(version=user.version)
    return user


def update(
    session: Session,
    user_id: UUID,
    profile: Mapping[str, Any],
    role: Role | None = None,
    version: int | None = None,
    note: Note = lambda action, **detail: None,
) -> User:
    """Change what `profile` has of `OPTIONAL`, and the role if given, which ends all mailed tokens;
    `note` is told of another role. Another e-mail address is the business of
    `users.accounts.verification`.

    Raises `AlreadyExists`, `LastAdmin`, and `PreconditionFailed` as `lock` does.
    """
    if role not in (None, Role.ADMIN):
        _keep_an_admin(session, user_id)
    user = lock(session, user_id, version)
    old_role = user.role
    for name, value in profile.items():
        setattr(user, name, value)
    user.role = role or user.role
    user.version += 1
    uniqueness.flush(session)
    if user.role != old_role:
        _end_mailed_tokens(session, user)
        note(Action.ROLE_CHANGED, old=str(old_role), new=str(user.role))
    return user


def confirm_email(
    session: Session, token: str, now: datetime.datetime, publish: verification.Publish
) -> tuple[User, bool]:
    """Confirm the address that `token` was mailed to; whose it is, and whether it took the place of
    another. Raises as `verification.redeem` does."""
    try:
        user = lock(session, verification.owner(session, token, now))
    except NotFound:  # deleted a moment ago
        raise VerificationTokenInvalid() from None
    old_email = user.email
    verification.redeem(session, user, token, now, publish)
    return user, user.email != old_email


def mark_verified(session: Session, user_id: UUID, note: Note) -> User:
    """Take the present address of a user as confirmed; `note` is told if it was not."""
    user = lock(session, user_id)
    if not user.email_verified:
        user.email_verified = True
        user.version += 1
        session.flush()
        note(Action.EMAIL_VERIFIED)
    return user


def set_password(session: Session, user_id: UUID, old_hash: str, new_hash: str) -> bool:
    """Give a user another password; all sessions and mailed tokens end. False, and nothing is
    done, when the present password is no longer that of `old_hash`."""
    user = lock(session, user_id)
    if user.password_hash != old_hash:
        return False
    user.password_hash = new_hash
    session.flush()  # the user's lock first, as in `anonymise`
    session_commands.end_all(session, user_id)
    totp.end_challenges(session, user_id)
    _end_mailed_tokens(session, user)
    return True


def recover(session: Session, user_id: UUID) -> bool:
    """The owner of an address has come into the account that somebody had made with it: forget what
    was put there, and take the address as confirmed. False, and nothing is done, when it had been
    confirmed before: then it is the owner's account."""
    user = lock(session, user_id)
    if user.email_verified:
        return False
    _forget_person(session, user)
    user.email_verified = True
    user.version += 1
    session.flush()
    return True


def renew_hash(session: Session, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Store another hash of the same password, unless the password has changed meanwhile."""
    session.execute(
        update_rows(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
    )


def anonymise(session: Session, user_id: UUID, now: datetime.datetime) -> None:
    """Delete a user: end the sessions and forget everything personal. The id stays, for the
    orders that name it; e-mail address and user name are free again. Raises `LastAdmin`."""
    _keep_an_admin(session, user_id)
    user = lock(session, user_id)
    user.deleted_at = now
    user.email = user.password_hash = None
    user.email_verified = False
    _forget_person(session, user)


def _forget_person(session: Session, user: User) -> None:
    """Forget what a user has said of himself, and end every way in but the password."""
    for name in OPTIONAL:
        setattr(user, name, None)
    user.pending_email = None
    session.flush()  # the user's lock first: a login at the same instant is over, or finds nobody
    session.execute(delete(Address).where(Address.user_id == user.id))
    session.execute(delete(KnownNetwork).where(KnownNetwork.user_id == user.id))
    verification.forget_changes(session, user.id)
    session_commands.end_all(session, user.id)
    totp.forget(session, user.id)
    _end_mailed_tokens(session, user)


def _end_mailed_tokens(session: Session, user: User) -> None:
    resets.forget(session, user.id)
    verification.forget(session, user)


def _keep_an_admin(session: Session, user_id: UUID) -> None:
    """Raise `LastAdmin` if `user_id` is the only admin. The admins stay locked, so that two of
    them cannot demote each other at once."""
    admins = session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if admins == [user_id]:
        raise LastAdmin()
