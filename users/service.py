"""The Nameko service `users`."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

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
from users import (
    accounts,
    addresses,
    directory,
    keys,
    models,
    resets,
    schemas,
    sessions,
    throttle,
)
from users.doorman import Doorman
from users.errors import BadCredentials, SessionEnded
from users.hashing import PasswordHasher
from users.settings import UsersSettings

USER, CONTACT = schemas.User(), schemas.Contact()
ADDRESS, TOKENS = schemas.Address(), schemas.Tokens()


class UsersService(Service):
    """Who people are: accounts, logins, tokens, addresses, roles."""

    name = "users"

    db = Database(models.Base, package="users")
    events = EventOutbox(schemas.EVENTS)
    clock = Clock()
    passwords = PasswordHasher()
    settings = Settings(UsersSettings, section="users")
    identity = Settings(IdentitySettings, section="identity")

    @rpc(schemas.SignUp, once=True)
    def sign_up(self, **account):
        return self._register(role=Role.CUSTOMER, **account)

    @rpc(schemas.Create, once=True)
    def create(self, actor, **account):
        _admins_only(actor)
        return self._register(**account)

    @rpc(schemas.Login)
    def login(self, **credentials):
        for _ in range(2):  # another login at the same instant may have renewed the hash
            tokens = self._doorman().log_in(**credentials, admit=self._admit)
            if tokens is not None:
                return tokens
        raise BadCredentials()

    @rpc(schemas.Login)
    def verify_credentials(self, **credentials):
        return USER.dump(self._doorman().verify(**credentials))

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

    @rpc(schemas.ChangePassword, once=True)
    def change_password(self, user_id, current_password, new_password):
        self._doorman().change_password(user_id, current_password, new_password)

    @rpc(schemas.ForgotPassword, once=True)
    def forgot_password(self, email, network):
        self._doorman().ask_for_reset(email, network)

    @rpc(schemas.IssueResetToken)
    def issue_reset_token(self, reset_id):
        with self.db.begin() as session:
            return {"token": resets.issue(session, reset_id, self.clock())}

    @rpc(schemas.ResetPassword, once=True)
    def reset_password(self, token, new_password, network):
        self._doorman().reset_password(token, new_password, network)

    @rpc(schemas.RotateKeys, once=True)
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

    @rpc(schemas.Contacts)
    def contacts(self, user_ids):
        with self.db.read() as connection:
            return {"items": CONTACT.dump(directory.contacts(connection, user_ids), many=True)}

    @rpc(schemas.List)
    def list(self, search, role, limit, cursor, actor):
        """Users, newest first: all of them for admins; staff say whom they look for."""
        if not actor.is_staff:
            raise Forbidden()
        if not actor.is_admin and search is None:
            raise Invalid(errors={"search": ["Say whom you look for."]})
        after = (
            None if cursor is None else paging.decode("users", cursor, (datetime.datetime, UUID))
        )
        with self.db.read() as connection:
            rows = directory.page(connection, search, role, limit + 1, after)
        items, more = rows[:limit], len(rows) > limit
        following = (
            paging.encode("users", (items[-1]["created_at"], items[-1]["id"])) if more else None
        )
        return {"items": USER.dump(items, many=True), "next": following}

    @rpc(schemas.Find)
    def find(self, search, limit):
        """The ids of those whom the words are about, the newest first; nothing else of them."""
        with self.db.read() as connection:
            rows = directory.page(connection, search, None, limit, None)
        return {"items": [{"id": row["id"]} for row in rows]}

    @rpc(schemas.Update)
    def update(self, user_id, partial, current_password, version, actor, role=None, **profile):
        if role is not None:
            _admins_only(actor)
        if "email" in profile:
            self._doorman().confirm(user_id, profile["email"], current_password, actor)
        with self.db.begin() as session:
            return USER.dump(accounts.update(session, user_id, profile, partial, role, version))

    @rpc(schemas.SetRole)
    def set_role(self, user_id, role, actor):
        _admins_only(actor)
        with self.db.begin() as session:
            return USER.dump(accounts.update(session, user_id, {}, True, role))

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

    @rpc(schemas.AddAddress, once=True)
    def add_address(self, user_id, default, **fields):
        with self.db.begin() as session:
            return ADDRESS.dump(addresses.add(session, user_id, fields, default, self.clock()))

    @rpc(schemas.UpdateAddress)
    def update_address(self, user_id, address_id, default, version, **fields):
        with self.db.begin() as session:
            changed = addresses.replace(session, user_id, address_id, fields, default, version)
            return ADDRESS.dump(changed)

    @rpc(schemas.GetAddress)
    def delete_address(self, user_id, address_id):
        with self.db.begin() as session:
            addresses.remove(session, user_id, address_id)

    @timer(interval=600)
    def forget_what_is_over(self):
        for over in (sessions, resets, throttle):
            with self.db.begin() as session:
                over.purge(session, self.clock())

    def _register(
        self,
        password: str,
        role: Role,
        address: Mapping[str, Any] | None,
        network: str | None = None,
        **profile: Any,
    ) -> dict[str, Any]:
        """Account, first address and event in one transaction; the hash is made before it."""
        password_hash, now = self.passwords.hash(password), self.clock()
        with self.db.begin() as session:
            user = accounts.register(session, profile, password_hash, role, now)
            if address is not None:
                addresses.add(session, user.id, address, True, now)
            throttle.remember(session, user.id, network, now)
            self.events.record(session, "user_registered", {"user_id": user.id})
            return USER.dump(user)

    def _doorman(self) -> Doorman:
        db = self.db
        return Doorman(db.begin, db.read, self.passwords, self.clock, self.events.record)

    def _admit(self, session: Session, user_id: UUID, password_hash: str) -> dict[str, Any] | None:
        """See `users.doorman.Admit`."""
        grant = sessions.start(session, user_id, password_hash, self.clock(), self._lifetimes())
        return grant and self._tokens(session, grant)

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
