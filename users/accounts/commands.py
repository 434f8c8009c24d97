"""What happens to accounts: made, changed, promoted, deleted.

`network` is where the client is, None among services.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.identity import Actor, Role
from chassis.staff import require_admin
from contracts.users.enums import Action
from contracts.users.errors import LastAdmin
from users import erasure, throttle
from users import store as user_store
from users.accounts import contacts
from users.addresses import store as address_store
from users.audit import commands as audit
from users.context import Context
from users.models import User
from users.origin import Origin, origin_of
from users.passwords import authentication
from users.passwords.rules import NAMES, PUBLIC, TOO_EASY, is_guessable
from users.sessions import store as session_store
from users.verification import commands as verification

#: What needs the password to change: what one signs in with, and where one is reached.
GUARDED = {"email": "e-mail address", "username": "user name", "phone": "phone number"}


def sign_up(context: Context, **account: Any) -> User:
    """An account that people make for themselves; see `_register`."""
    return _register(context, None, role=Role.CUSTOMER, **account)


def create(context: Context, actor: Actor, **account: Any) -> User:
    """An account for somebody else, with any role (admins); see `_register`."""
    require_admin(actor)
    return _register(context, actor, **account)


def _register(
    context: Context,
    actor: Actor | None,
    password: str,
    role: str,
    address: Mapping[str, Any] | None = None,
    network: str | None = None,
    email_verified: bool = False,
    **profile: Any,
) -> User:
    """Account, first address and events in one transaction; the hash is made before it. Without
    an actor users register themselves.

    Raises `Invalid`, and `AlreadyExists` when the e-mail address or the user name is taken.
    """
    _refuse_guessable(context, password, profile, actor)
    if profile.get("phone"):
        country = address["country"] if address else context.settings["default_country"]
        profile["phone"] = contacts.phone(profile["phone"], country)
    password_hash, now = context.passwords.hash(password), context.clock()
    with context.db.begin() as session:
        user = User(
            id=uuid4(),
            email_verified=email_verified,
            pending_email=None,
            password_hash=password_hash,
            role=role,
            version=1,
            created_at=now,
            **(dict.fromkeys(user_store.OPTIONAL) | profile),
        )
        session.add(user)
        user_store.flush(session)
        action = Action.USER_CREATED if actor else Action.USER_REGISTERED
        by = actor or Actor(user.id, role)
        audit.record(context, session, action, user.id, by, origin_of(network), role=str(role))
        if address is not None:
            address_store.add(session, user.id, address, True, now)
        throttle.remember(session, user.id, network, now)
        context.events.record(session, "user_registered", {"user_id": user.id})
        if not email_verified:
            verification.welcome(context, session, user)
        return user


def update(
    context: Context,
    user_id: UUID,
    *,
    partial: bool,
    current_password: str | None,
    version: int | None,
    actor: Actor,
    network: str | None,
    role: str | None = None,
    **profile: Any,
) -> User:
    """Change a profile: without `partial` what is not given becomes empty. Another e-mail address
    waits until it is confirmed; another role (admins) ends all mailed tokens.

    Raises `NotFound`, `Invalid`, `AlreadyExists`, `LastAdmin`, and `PreconditionFailed` when the
    profile is not at `version` any more.
    """
    if role is not None:
        require_admin(actor)
    if not partial:
        profile = dict.fromkeys(user_store.OPTIONAL) | profile
    if profile.get("phone") or profile.get("email"):
        with context.db.autocommit() as connection:
            country = context.settings["default_country"]
            profile = contacts.in_profile(connection, user_id, profile, country)
    _confirm(context, user_id, profile, current_password, actor)
    email = profile.pop("email", None)
    origin = origin_of(network)
    with context.db.begin() as session:
        user = _lock(session, user_id, role, version)
        if actor.user_id != user_id:
            changed = {"fields": sorted(profile)}
            audit.record(
                context, session, Action.ACCOUNT_CHANGED, user_id, actor, origin, **changed
            )
        _change(context, session, user, profile, role, actor, origin)
        if email is not None:
            verification.change(context, session, user, email)
        return user


def delete(context: Context, user_id: UUID, actor: Actor, network: str | None) -> Sequence[UUID]:
    """Delete a user (admins): end the sessions, whose ids are returned, and forget everything
    personal. The id stays, for the orders that name it; e-mail address and user name are free
    again. Raises `LastAdmin`."""
    require_admin(actor)
    with context.db.begin() as session:
        _keep_an_admin(session, user_id)
        user = user_store.lock(session, user_id)
        user.deleted_at = context.clock()
        user.email = user.password_hash = None
        user.email_verified = False
        erasure.forget_person(session, user)
        ended = session_store.end_all(context, session, user_id)
        audit.record(context, session, Action.USER_DELETED, user_id, actor, origin_of(network))
        return ended


def _refuse_guessable(
    context: Context, password: str, profile: Mapping[str, Any], actor: Actor | None
) -> None:
    """Refuse a password that is easily found; the sample accounts' only belongs in a demo."""
    if password == PUBLIC:
        is_refused = not (context.settings["sample_accounts"] and actor and actor.is_admin)
    else:
        names = (profile.get(name) for name in NAMES)
        is_refused = is_guessable(password, *names, *context.settings["shop_names"])
    if is_refused:
        raise Invalid(errors={"password": [TOO_EASY]})


def _confirm(
    context: Context,
    user_id: UUID,
    profile: Mapping[str, str | None],
    password: str | None,
    actor: Actor,
) -> None:
    """Have users prove themselves before what is in `GUARDED` changes: a stolen access token
    must not be enough to take an account over (OWASP ASVS 5.0, 7.5.1). Admins may correct other
    people's."""
    is_others_admin = actor.is_admin and actor.user_id not in (None, user_id)
    if is_others_admin or not GUARDED.keys() & profile.keys():
        return
    user = user_store.read(context, user_id)
    for name in GUARDED.keys() & profile.keys():
        if not _is_same(name, profile[name], user[name]):
            message = f"A new {GUARDED[name]} needs your present password."
            authentication.prove(context, user, password, message)
            return


def _is_same(name: str, new: str | None, old: str | None) -> bool:
    if name == "email" and new and old:
        return new.lower() == old.lower()
    return new == old


def _lock(session: Session, user_id: UUID, role: str | None, version: int | None) -> User:
    """The user, locked, who can be given that role."""
    if role not in (None, Role.ADMIN):
        _keep_an_admin(session, user_id)
    return user_store.lock(session, user_id, version)


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


def _change(
    context: Context,
    session: Session,
    user: User,
    profile: Mapping[str, Any],
    role: str | None,
    actor: Actor,
    origin: Origin,
) -> None:
    old_role = user.role
    for name, value in profile.items():
        setattr(user, name, value)
    user.role = role or user.role
    user.version += 1
    user_store.flush(session)
    if user.role != old_role:
        erasure.end_mailed_tokens(session, user)
        roles = {"old": str(old_role), "new": str(user.role)}
        audit.record(context, session, Action.ROLE_CHANGED, user.id, actor, origin, **roles)
