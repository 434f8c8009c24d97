"""The Nameko service `users`."""

import datetime
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from chassis.clock import Clock
from chassis.config import IdentitySettings, Settings
from chassis.database import Database
from chassis.errors import Forbidden, Invalid
from chassis.events import EventOutbox
from chassis.events.broadcast import Broadcast
from chassis.identity import Actor, Role
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from users import audit, models, schemas, security
from users.accounts import commands as account_commands
from users.accounts import contacts, verification
from users.accounts import queries as account_queries
from users.addresses import commands as address_commands
from users.audit import Action
from users.errors import BadCredentials
from users.origin import origin_of
from users.passwords import resets
from users.passwords.hashing import PasswordHasher
from users.passwords.rules import NAMES, PUBLIC, TOO_EASY, is_guessable
from users.second_factor import totp
from users.security import admins_only
from users.sessions import commands as session_commands
from users.sessions import signing_keys, throttle
from users.sessions.authentication import Doorman, Rules
from users.settings import UsersSettings

USER, CONTACT = schemas.accounts.User(), schemas.accounts.Contact()
ADDRESS, ENDED = schemas.addresses.Address(), schemas.sessions.Ended()


class UsersService(security.SecurityMethods, Service):
    """Who people are: accounts, logins, tokens, addresses, roles."""

    name = "users"

    db = Database(models.Base, package="users")
    events = EventOutbox(schemas.events.EVENTS)
    broadcast = Broadcast(schemas.events.NEWS)
    clock = Clock()
    passwords = PasswordHasher()
    settings = Settings(UsersSettings, section="users")
    identity = Settings(IdentitySettings, section="identity")

    @rpc(schemas.accounts.SignUp, once=True, sensitive_arguments="account")
    def sign_up(self, **account):
        return self._register(None, role=Role.CUSTOMER, **account)

    @rpc(schemas.accounts.Create, once=True, sensitive_arguments="account")
    def create(self, actor, **account):
        admins_only(actor)
        return self._register(actor, **account)

    @rpc(schemas.sessions.Login, sensitive_arguments="credentials")
    def login(self, **credentials):
        for _ in range(2):  # another login at the same instant may have renewed the hash
            tokens = self._doorman().log_in(**credentials, admit=self._admit)
            if tokens is not None:
                return tokens
        raise BadCredentials()

    @rpc(schemas.sessions.Credentials, sensitive_arguments="credentials")
    def verify_credentials(self, **credentials):
        return USER.dump(self._doorman().verify(**credentials))

    @rpc(
        schemas.passwords.ChangePassword,
        once=True,
        sensitive_arguments=("current_password", "new_password", "network"),
    )
    def change_password(self, user_id, current_password, new_password, network):
        ended = self._doorman().change_password(user_id, current_password, new_password, network)
        return ENDED.dump({"ended": ended})

    @rpc(schemas.passwords.ForgotPassword, once=True, sensitive_arguments=("email", "network"))
    def forgot_password(self, email, network):
        self._doorman().ask_for_reset(email, network)

    @rpc(schemas.passwords.IssueResetToken)
    def issue_reset_token(self, reset_id):
        with self.db.begin() as session:
            token, email = resets.issue(session, reset_id, self.clock())
        return {"token": token, "email": email, "holds": self.settings["reset_token_seconds"]}

    @rpc(
        schemas.passwords.ResetPassword,
        once=True,
        sensitive_arguments=("token", "new_password", "network"),
    )
    def reset_password(self, token, new_password, network):
        ended = self._doorman().reset_password(token, new_password, network)
        return ENDED.dump({"ended": ended})

    @rpc(schemas.accounts.VerifyEmail, once=True, sensitive_arguments=("token", "network"))
    def verify_email(self, token, network):
        """Confirm the address that a token was mailed to; whoever has the token may."""
        with self.db.begin() as session:
            guess = verification.guess(session, network, self.clock())
        with self._begin() as session:
            user, is_another = account_commands.confirm_email(
                session, token, self.clock(), self.events.record
            )
            note = self._note(session, user.id, Actor(user.id, Role(user.role)), network)
            note(Action.EMAIL_CHANGED if is_another else Action.EMAIL_VERIFIED)
            verification.was_right(session, guess, self.clock())

    @rpc(schemas.common.Get, once=True)
    def request_email_verification(self, user_id):
        """Mail another token to the address that a user has yet to confirm."""
        with self.db.begin() as session:
            user = account_commands.lock(session, user_id)
            verification.ask_again(session, user, self.clock(), self.events.record)

    @rpc(schemas.accounts.IssueVerificationToken)
    def issue_verification_token(self, verification_id):
        """The token for a mail, and where that goes."""
        with self.db.begin() as session:
            token, email = verification.issue(session, verification_id, self.clock())
        return {"token": token, "email": email}

    @rpc(schemas.accounts.OldEmail)
    def old_email(self, change_id):
        """The address that is to be told of its end."""
        with self.db.begin() as session:
            return {"email": verification.old_email(session, change_id, self.clock())}

    @rpc(schemas.accounts.MarkEmailVerified)
    def mark_email_verified(self, user_id, actor):
        """Take a user's address as confirmed, on an admin's word."""
        admins_only(actor)
        with self._begin() as session:
            note = self._note(session, user_id, actor)
            return USER.dump(account_commands.mark_verified(session, user_id, note))

    @rpc(schemas.sessions.RotateKeys, once=True)
    def rotate_keys(self, actor):
        admins_only(actor)
        with self._begin() as session:
            self._record(session, Action.SIGNING_KEYS_ROTATED, None, actor)
            return {"kid": signing_keys.rotate(session, self.clock())}

    @rpc
    def jwks(self):
        with self.db.begin() as session:
            return signing_keys.published(session, self.clock(), self._access_lifetime())

    @rpc(schemas.common.Get)
    def get(self, user_id):
        with self.db.autocommit() as connection:
            return USER.dump(account_queries.get(connection, user_id))

    @rpc(schemas.accounts.Contacts)
    def contacts(self, user_ids):
        with self.db.autocommit() as connection:
            return {
                "items": CONTACT.dump(account_queries.contacts(connection, user_ids), many=True)
            }

    @rpc(schemas.accounts.List, sensitive_arguments="search")
    def list(self, search, role, limit, cursor, actor):
        """Users, newest first: all of them for admins; staff say whom they look for."""
        if not actor.is_staff:
            raise Forbidden()
        if not actor.is_admin and search is None:
            raise Invalid(errors={"search": ["Say whom you look for."]})
        with self.db.autocommit() as connection:
            items, following = account_queries.page(connection, search, role, limit, cursor)
        return {"items": USER.dump(items, many=True), "next": following}

    @rpc(schemas.accounts.Find, sensitive_arguments="search")
    def find(self, search, limit):
        """The ids of those whom the words are about, the newest first; nothing else of them."""
        with self.db.autocommit() as connection:
            rows = account_queries.find(connection, search, None, limit)
        return {"items": [{"id": row["id"]} for row in rows]}

    @rpc(schemas.accounts.Update, sensitive_arguments=("current_password", "network", "profile"))
    def update(
        self, user_id, partial, current_password, version, actor, network, role=None, **profile
    ):
        if role is not None:
            admins_only(actor)
        profile = self._whole(user_id, profile, partial)
        self._doorman().confirm(user_id, profile, current_password, actor)
        email = profile.pop("email", None)
        with self._begin() as session:
            note = self._note(session, user_id, actor, network)
            if actor.user_id != user_id:
                note(Action.ACCOUNT_CHANGED, fields=sorted(profile))
            user = account_commands.update(session, user_id, profile, role, version, note)
            if email is not None:
                verification.change(session, user, email, self.clock(), self.events.record)
            return USER.dump(user)

    @rpc(schemas.accounts.SetRole)
    def set_role(self, user_id, role, actor):
        admins_only(actor)
        with self._begin() as session:
            note = self._note(session, user_id, actor)
            return USER.dump(account_commands.update(session, user_id, {}, role, note=note))

    @rpc(schemas.accounts.Delete, sensitive_arguments="network")
    def delete(self, user_id, actor, network):
        admins_only(actor)
        with self._begin() as session:
            account_commands.anonymise(session, user_id, self.clock())
            self._record(session, Action.USER_DELETED, user_id, actor, origin_of(network))
        return ENDED.dump({"ended": session_commands.ended(session).get(user_id, [])})

    @rpc(schemas.common.Get)
    def list_addresses(self, user_id):
        with self.db.autocommit() as connection:
            items = address_commands.of_user(connection, user_id)
        return {"items": ADDRESS.dump(items, many=True), "next": None}

    @rpc(schemas.addresses.GetAddress)
    def get_address(self, user_id, address_id):
        with self.db.autocommit() as connection:
            return ADDRESS.dump(address_commands.get(connection, user_id, address_id))

    @rpc(schemas.common.Get)
    def default_address(self, user_id):
        with self.db.autocommit() as connection:
            return ADDRESS.dump(address_commands.default(connection, user_id))

    @rpc(schemas.addresses.AddAddress, once=True, sensitive_arguments="fields")
    def add_address(self, user_id, default, **fields):
        with self.db.begin() as session:
            return ADDRESS.dump(
                address_commands.add(session, user_id, fields, default, self.clock())
            )

    @rpc(schemas.addresses.UpdateAddress, sensitive_arguments="fields")
    def update_address(self, user_id, address_id, default, version, **fields):
        with self.db.begin() as session:
            changed = address_commands.replace(
                session, user_id, address_id, fields, default, version
            )
            return ADDRESS.dump(changed)

    @rpc(schemas.addresses.GetAddress)
    def delete_address(self, user_id, address_id):
        with self.db.begin() as session:
            address_commands.remove(session, user_id, address_id)

    @timer(interval=600)
    def forget_what_is_over(self):
        kept = datetime.timedelta(days=self.settings["audit_retention_days"])
        for purge in (
            session_commands.purge,
            resets.purge,
            verification.purge,
            throttle.purge,
            totp.purge,
            partial(audit.purge, retention=kept),
        ):
            with self.db.begin() as session:
                purge(session, self.clock())

    def _register(
        self,
        actor: Actor | None,
        password: str,
        role: Role,
        address: Mapping[str, Any] | None,
        network: str | None = None,
        email_verified: bool = False,
        **profile: Any,
    ) -> dict[str, Any]:
        """Account, first address and events in one transaction; the hash is made before it. Without
        an actor users register themselves."""
        if profile.get("phone"):
            country = address["country"] if address else self.settings["default_country"]
            profile["phone"] = contacts.phone(profile["phone"], country)
        self._refuse_guessable(password, profile, actor)
        password_hash, now = self.passwords.hash(password), self.clock()
        with self._begin() as session:
            user = account_commands.register(
                session, profile, password_hash, role, now, email_verified
            )
            action = Action.USER_CREATED if actor else Action.USER_REGISTERED
            by, origin = actor or Actor(user.id, role), origin_of(network)
            self._record(session, action, user.id, by, origin, role=str(role))
            if address is not None:
                address_commands.add(session, user.id, address, True, now)
            throttle.remember(session, user.id, network, now)
            self.events.record(session, "user_registered", {"user_id": user.id})
            if not email_verified:
                verification.welcome(session, user, now, self.events.record)
            return USER.dump(user)

    def _whole(self, user_id: UUID, profile: Mapping[str, Any], partial: bool) -> dict[str, Any]:
        """What a change makes of a profile: without `partial` what is not given becomes empty, and
        e-mail address and phone number are written as they are kept."""
        whole = dict(profile) if partial else dict.fromkeys(account_commands.OPTIONAL) | profile
        if not whole.get("phone") and not whole.get("email"):
            return whole
        with self.db.begin() as session:
            return contacts.in_profile(session, user_id, whole, self.settings["default_country"])

    def _refuse_guessable(
        self, password: str, profile: Mapping[str, Any], actor: Actor | None
    ) -> None:
        """What the schema cannot know: the shop's own names, and whether this is a demo."""
        if password == PUBLIC:
            is_refused = not (self.settings["sample_accounts"] and actor and actor.is_admin)
        else:
            names = (profile.get(name) for name in NAMES)
            shop_names = self.settings["shop_names"]
            is_refused = bool(shop_names) and is_guessable(password, *names, *shop_names)
        if is_refused:
            raise Invalid(errors={"password": [TOO_EASY]})

    def _doorman(self) -> Doorman:
        settings = self.settings
        rules = Rules(
            datetime.timedelta(seconds=settings["reset_token_seconds"]),
            settings["shop_names"],
            settings["sample_accounts"],
        )
        return Doorman(
            self._begin,
            self.db.autocommit,
            self.passwords,
            self.clock,
            self.events.record,
            self._record,
            rules,
        )
