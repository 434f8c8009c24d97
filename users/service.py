"""The Nameko service `users`."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from chassis import paging
from chassis.clock import Clock
from chassis.config import IdentitySettings, Settings
from chassis.database import Database
from chassis.errors import Forbidden, Invalid
from chassis.events import EventOutbox
from chassis.identity import Actor, Role, Signer
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from users import accounts, addresses, directory, keys, models, schemas, sessions
from users.errors import BadCredentials, SessionEnded
from users.hashing import PasswordHasher
from users.passwords import is_guessable
from users.settings import UsersSettings

USER, ADDRESS, TOKENS = schemas.User(), schemas.Address(), schemas.Tokens()


class UsersService(Service):
    """Who people are: accounts, logins, tokens, addresses, roles."""

    name = "users"

    db = Database(models.Base, package="users")
    events = EventOutbox(schemas.EVENTS)
    clock = Clock()
    passwords = PasswordHasher()
    settings = Settings(UsersSettings, section="users")
    identity = Settings(IdentitySettings, section="identity")

    @rpc(schemas.SignUp)
    def sign_up(self, **account):
        return self._register(role=Role.CUSTOMER, **account)

    @rpc(schemas.Create)
    def create(self, actor, **account):
        _admins_only(actor)
        return self._register(**account)

    @rpc(schemas.Login)
    def login(self, name, password):
        # Another login at the same instant may have renewed the hash: then once more.
        tokens = self._log_in(name, password) or self._log_in(name, password)
        if tokens is None:
            raise BadCredentials()
        return tokens

    @rpc(schemas.Login)
    def verify_credentials(self, name, password):
        return USER.dump(self._authenticate(name, password))

    @rpc(schemas.Token)
    def refresh(self, refresh_token):
        with self.db.begin() as session:
            grant = sessions.refresh(session, refresh_token, self.clock(), self._lifetimes())
            tokens = grant and self._tokens(session, grant)
        if tokens is None:  # only now: the end of a stolen family has to be committed
            raise SessionEnded()
        return tokens

    @rpc(schemas.Token)
    def logout(self, refresh_token):
        with self.db.begin() as session:
            sessions.end(session, refresh_token)

    @rpc(schemas.ChangePassword)
    def change_password(self, user_id, current_password, new_password):
        with self.db.read() as connection:
            user = directory.get(connection, user_id)
        self._replace_password(user, current_password, new_password)

    @rpc(schemas.RotateKeys)
    def rotate_keys(self, actor):
        _admins_only(actor)
        with self.db.begin() as session:
            return {"kid": keys.rotate(session, self.clock())}

    @rpc
    def jwks(self):
        with self.db.begin() as session:
            return keys.published(session, self.clock(), self._access_lifetime())

    @rpc(schemas.Get)
    def get(self, user_id):
        with self.db.read() as connection:
            return USER.dump(directory.get(connection, user_id))

    @rpc(schemas.List)
    def list(self, search, role, limit, cursor, actor):
        _admins_only(actor)
        after = None if cursor is None else paging.decode(cursor, (datetime.datetime, UUID))
        with self.db.read() as connection:
            rows = directory.page(connection, search, role, limit + 1, after)
        items, more = rows[:limit], len(rows) > limit
        following = paging.encode((items[-1]["created_at"], items[-1]["id"])) if more else None
        return {"items": USER.dump(items, many=True), "next": following}

    @rpc(schemas.Update)
    def update(self, user_id, partial, current_password, actor, role=None, **profile):
        if role is not None:
            _admins_only(actor)
        if "email" in profile:
            self._confirm(user_id, profile["email"], current_password, actor)
        with self.db.begin() as session:
            if role is not None:
                accounts.set_role(session, user_id, role)
            return USER.dump(accounts.update(session, user_id, profile, partial))

    @rpc(schemas.SetRole)
    def set_role(self, user_id, role, actor):
        _admins_only(actor)
        with self.db.begin() as session:
            return USER.dump(accounts.set_role(session, user_id, role))

    @rpc(schemas.Delete)
    def delete(self, user_id, actor):
        _admins_only(actor)
        with self.db.begin() as session:
            accounts.anonymise(session, user_id, self.clock())

    @rpc(schemas.Get)
    def list_addresses(self, user_id):
        with self.db.read() as connection:
            items = addresses.of_user(connection, user_id)
        return {"items": ADDRESS.dump(items, many=True), "next": None}

    @rpc(schemas.GetAddress)
    def get_address(self, user_id, address_id):
        with self.db.read() as connection:
            return ADDRESS.dump(addresses.get(connection, user_id, address_id))

    @rpc(schemas.Get)
    def default_address(self, user_id):
        with self.db.read() as connection:
            return ADDRESS.dump(addresses.default(connection, user_id))

    @rpc(schemas.AddAddress)
    def add_address(self, user_id, default, **fields):
        with self.db.begin() as session:
            return ADDRESS.dump(addresses.add(session, user_id, fields, default, self.clock()))

    @rpc(schemas.UpdateAddress)
    def update_address(self, user_id, address_id, default, **fields):
        with self.db.begin() as session:
            return ADDRESS.dump(addresses.replace(session, user_id, address_id, fields, default))

    @rpc(schemas.GetAddress)
    def delete_address(self, user_id, address_id):
        with self.db.begin() as session:
            addresses.remove(session, user_id, address_id)

    @timer(interval=600)
    def forget_expired_sessions(self):
        with self.db.begin() as session:
            sessions.purge(session, self.clock())

    def _register(
        self, password: str, role: Role, address: Mapping[str, Any] | None, **profile: Any
    ) -> dict[str, Any]:
        """Account, first address and event in one transaction; the hash is made before it."""
        password_hash, now = self.passwords.hash(password), self.clock()
        with self.db.begin() as session:
            user = accounts.register(session, profile, password_hash, role, now)
            if address is not None:
                addresses.add(session, user.id, address, True, now)
            self.events.record(session, "user_registered", {"user_id": user.id})
            return USER.dump(user)

    def _authenticate(self, name: Mapping[str, str], password: str) -> RowMapping:
        """The user who has this name and password; `BadCredentials`, after the same time, if
        there is none. No connection is held while hashing."""
        with self.db.read() as connection:
            user = directory.by_name(connection, **name)
        if not self.passwords.verify(user and user["password_hash"], password):
            raise BadCredentials()
        return user

    def _log_in(self, name: Mapping[str, str], password: str) -> dict[str, Any] | None:
        """Tokens for a new session; None when the stored hash changed while it was verified."""
        user = self._authenticate(name, password)
        old_hash = user["password_hash"]
        with self.db.begin() as session:
            grant = sessions.start(session, user["id"], old_hash, self.clock(), self._lifetimes())
            tokens = grant and self._tokens(session, grant)
        if tokens and self.passwords.is_outdated(old_hash):
            new_hash = self.passwords.hash(password)
            with self.db.begin() as session:
                accounts.renew_hash(session, user["id"], old_hash, new_hash)
        return tokens

    def _replace_password(self, user: RowMapping, current: str, new: str) -> None:
        if is_guessable(new, user["email"], user["username"]):
            raise Invalid(errors={"new_password": ["Too easy to guess, take another one."]})
        old_hash, wrong = user["password_hash"], {"current_password": ["Wrong password."]}
        if not self.passwords.verify(old_hash, current):
            raise Invalid(errors=wrong)
        new_hash = self.passwords.hash(new)
        with self.db.begin() as session:
            if not accounts.set_password(session, user["id"], old_hash, new_hash):
                raise Invalid(errors=wrong)

    def _confirm(self, user_id: UUID, email: str, password: str | None, actor: Actor) -> None:
        """Have users prove themselves before their e-mail address changes: a stolen access token
        must not be enough to take an account over. Admins may correct other people's."""
        with self.db.read() as connection:
            user = directory.get(connection, user_id)
        is_others_admin = actor.is_admin and actor.user_id not in (None, user_id)
        if is_others_admin or email.lower() == user["email"].lower():
            return
        if password is None or not self.passwords.verify(user["password_hash"], password):
            message = "A new e-mail address needs your present password."
            raise Invalid(errors={"current_password": [message]})

    def _tokens(self, session: Session, grant: sessions.Grant) -> dict[str, Any]:
        """The answer to a login or refresh."""
        now, lifetime = self.clock(), self._access_lifetime()
        kid, key = keys.active(session, now)
        signer = Signer(key, kid, self.identity["issuer"], self.identity["audience"], lifetime)
        return TOKENS.dump(
            {
                "access_token": signer.sign(grant.actor, now),
                "refresh_token": grant.refresh_token,
                "expires_in": int(lifetime.total_seconds()),
            }
        )

    def _access_lifetime(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self.settings["access_token_seconds"])

    def _lifetimes(self) -> sessions.Lifetimes:
        return sessions.Lifetimes(
            refresh_token=datetime.timedelta(seconds=self.settings["refresh_token_seconds"]),
            grace=datetime.timedelta(seconds=self.settings["refresh_grace_seconds"]),
        )


def _admins_only(actor: Actor) -> None:
    if not actor.is_admin:
        raise Forbidden()
