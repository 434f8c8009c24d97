"""The Nameko service `users`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from chassis.clock import Clock, Now
from chassis.config import IdentitySettings, Settings
from chassis.database import Database, Handle
from chassis.events import EventOutbox, event_handler
from chassis.events.broadcast import Broadcast
from chassis.events.outbox import Recorder
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.rpc import rpc
from chassis.service import Service
from chassis.staff import StaffActed, require_admin
from chassis.timers import timer
from contracts.users import answers, requests
from contracts.users.events import BROADCASTS, EVENTS
from users import context, jobs, models
from users import store as user_store
from users.accounts import commands as account_commands
from users.accounts import queries as account_queries
from users.addresses import commands as address_commands
from users.addresses import queries as address_queries
from users.audit import commands as audit_commands
from users.audit import queries as audit_queries
from users.login import commands as login_commands
from users.models import Address, User
from users.passwords import authentication
from users.passwords import commands as password_commands
from users.passwords.hashing import PasswordHasher
from users.second_factor import commands as second_factor_commands
from users.second_factor import queries as second_factor_queries
from users.sessions import commands as session_commands
from users.sessions import queries as session_queries
from users.sessions import signing_keys
from users.sessions.lifetimes import Lifetimes
from users.settings import UsersSettings
from users.verification import commands as verification_commands
from users.verification import queries as verification_queries


class UsersService(Service):
    """Who people are: accounts, logins, tokens, addresses, roles."""

    name = "users"

    db: Handle = Database(models.Base, package="users")
    events: Recorder = EventOutbox(EVENTS)
    broadcast = Broadcast(BROADCASTS)
    clock: Now = Clock()
    passwords: context.PasswordHasher = PasswordHasher()
    settings: Mapping[str, Any] = Settings(UsersSettings, section="users")
    identity: Mapping[str, Any] = Settings(IdentitySettings, section="identity")

    # Accounts

    @rpc(requests.SignUp, answers.User, once=True, sensitive_arguments="account")
    def sign_up(self, **account: Any) -> User:
        """Make an account for oneself."""
        return account_commands.sign_up(self, **account)

    @rpc(requests.Create, answers.User, once=True, sensitive_arguments="account")
    def create(self, actor: Actor, **account: Any) -> User:
        """Make an account for somebody else, with any role (admins)."""
        return account_commands.create(self, actor, **account)

    @rpc(requests.OfUser, answers.User)
    def get(self, user_id: UUID) -> RowMapping:
        """One account."""
        return user_store.read(self, user_id)

    @rpc(requests.ListUsers, answers.UserPage, sensitive_arguments="search")
    def list(
        self, search: str | None, role: str | None, limit: int, cursor: str | None, actor: Actor
    ) -> Json:
        """Users, newest first: all of them for admins; staff say whom they look for."""
        with self.db.autocommit() as connection:
            page = account_queries.page(connection, search, role, limit, cursor, actor)
        return _page(page)

    @rpc(requests.Find, answers.UserIds, sensitive_arguments="search")
    def find(self, search: str, limit: int) -> Json:
        """The ids of those whom the words are about, the newest first; nothing else of them."""
        with self.db.autocommit() as connection:
            return {"items": account_queries.find(connection, search, None, limit)}

    @rpc(requests.Contacts, answers.Contacts)
    def contacts(self, user_ids: Sequence[UUID]) -> Json:
        """Where users can be reached; who is not there is left out."""
        with self.db.autocommit() as connection:
            return {"items": account_queries.contacts(connection, user_ids)}

    @rpc(requests.Update, answers.User, sensitive_arguments="request")
    def update(self, user_id: UUID, **request: Any) -> User:
        """Change a profile; for admins, anybody's and the role."""
        return account_commands.update(self, user_id, **request)

    @rpc(requests.Delete, answers.Ended, sensitive_arguments="network")
    def delete(self, user_id: UUID, actor: Actor, network: str | None) -> Json:
        """Delete a user (admins): what is personal is forgotten, the id stays."""
        return {"ended": account_commands.delete(self, user_id, actor, network)}

    # E-mail addresses

    @rpc(requests.VerifyEmail, once=True, sensitive_arguments=("token", "network"))
    def verify_email(self, token: str, network: str | None) -> None:
        """Confirm the address that a token was mailed to; the token is enough."""
        verification_commands.verify(self, token, network)

    @rpc(requests.OfUser, once=True)
    def request_email_verification(self, user_id: UUID) -> None:
        """Mail another token to the address that a user has yet to confirm."""
        verification_commands.ask_again(self, user_id)

    @rpc(requests.IssueVerificationToken, answers.VerificationToken)
    def issue_verification_token(self, verification_id: UUID) -> Json:
        """The token for a mail, and where that goes."""
        return verification_commands.issue_token(self, verification_id)

    @rpc(requests.OldEmail, answers.OldEmail)
    def old_email(self, change_id: UUID) -> Json:
        """The former address of an account, to which a notice goes."""
        with self.db.autocommit() as connection:
            return {"email": verification_queries.old_email(connection, change_id, self.clock())}

    @rpc(requests.MarkEmailVerified, answers.User)
    def mark_email_verified(self, user_id: UUID, actor: Actor) -> User:
        """Take a user's address as confirmed, on an admin's word."""
        return verification_commands.mark_verified(self, user_id, actor)

    # The address book

    @rpc(requests.OfUser, answers.AddressPage)
    def list_addresses(self, user_id: UUID) -> Json:
        """All addresses of a user, the default first."""
        with self.db.autocommit() as connection:
            return {"items": address_queries.of_user(connection, user_id), "next": None}

    @rpc(requests.GetAddress, answers.Address)
    def get_address(self, user_id: UUID, address_id: UUID) -> RowMapping:
        """One address of a user."""
        with self.db.autocommit() as connection:
            return address_queries.get(connection, user_id, address_id)

    @rpc(requests.OfUser, answers.DefaultAddress)
    def default_address(self, user_id: UUID) -> Json:
        """Where orders of a user go that name no address."""
        with self.db.autocommit() as connection:
            return address_queries.default(connection, user_id)

    @rpc(requests.AddAddress, answers.Address, once=True, sensitive_arguments="address")
    def add_address(self, user_id: UUID, **address: Any) -> Address:
        """Add an address to a user's address book."""
        return address_commands.add(self, user_id, **address)

    @rpc(requests.UpdateAddress, answers.Address, sensitive_arguments="address")
    def update_address(
        self, user_id: UUID, address_id: UUID, version: int | None, **address: Any
    ) -> Address:
        """Write an address of a user anew."""
        return address_commands.replace(self, user_id, address_id, version, **address)

    @rpc(requests.GetAddress)
    def delete_address(self, user_id: UUID, address_id: UUID) -> None:
        """Delete an address of a user."""
        address_commands.remove(self, user_id, address_id)

    # Passwords

    @rpc(
        requests.ChangePassword,
        answers.Ended,
        once=True,
        sensitive_arguments=("current_password", "new_password", "network"),
    )
    def change_password(
        self, user_id: UUID, current_password: str, new_password: str, network: str | None
    ) -> Json:
        """Take another password instead of the present one; all sessions end."""
        ended = password_commands.change(self, user_id, current_password, new_password, network)
        return {"ended": ended}

    @rpc(requests.ForgotPassword, once=True, sensitive_arguments=("email", "network"))
    def forgot_password(self, email: str, network: str | None) -> None:
        """Have a token for another password mailed, if the address is a user's."""
        password_commands.request_reset(self, email, network)

    @rpc(requests.IssueResetToken, answers.ResetToken)
    def issue_reset_token(self, reset_id: UUID) -> Json:
        """The token for a mail, and where that goes."""
        return password_commands.issue_reset_token(self, reset_id)

    @rpc(
        requests.ResetPassword,
        answers.Ended,
        once=True,
        sensitive_arguments=("token", "new_password", "network"),
    )
    def reset_password(self, token: str, new_password: str, network: str | None) -> Json:
        """Take another password by a mailed token; all sessions end."""
        return {"ended": password_commands.reset(self, token, new_password, network)}

    # Sessions

    @rpc(
        requests.Login,
        answers.Tokens,
        sensitive_arguments=("password", "network", "user_agent", "name"),
    )
    def login(
        self, password: str, network: str | None, user_agent: str | None, **name: str
    ) -> Json:
        """Sign in with an e-mail address or user name, and a password."""
        return login_commands.log_in(self, name, password, network, user_agent)

    @rpc(
        requests.Credentials,
        answers.User,
        sensitive_arguments=("password", "network", "name"),
    )
    def verify_credentials(self, password: str, network: str | None, **name: str) -> RowMapping:
        """The user who has that name and password, without signing in."""
        return authentication.verify_credentials(self, name, password, network)

    @rpc(requests.RefreshToken, answers.Tokens, sensitive_arguments=("refresh_token", "network"))
    def refresh(self, refresh_token: str, network: str | None) -> Json:
        """New tokens for a refresh token; one that was used before ends its session."""
        return session_commands.refresh(self, refresh_token, network)

    @rpc(requests.RefreshToken, answers.Ended, sensitive_arguments=("refresh_token", "network"))
    def logout(self, refresh_token: str, network: str | None) -> Json:
        """End the session of a refresh token."""
        return {"ended": session_commands.log_out(self, refresh_token, network)}

    @rpc(requests.SessionOfUser, answers.SessionState)
    def check_session(self, user_id: UUID, session_id: UUID | None) -> Json:
        """Whether a session goes on, and what its user may do; raises `SessionEnded`."""
        with self.db.autocommit() as connection:
            user = session_queries.check(connection, user_id, session_id, self.clock())
        is_required = second_factor_queries.is_required(user["role"], self.settings)
        return {"role": user["role"], "must_enrol": is_required and not user["has_totp"]}

    @rpc(requests.SessionIds, answers.Ended)
    def ended_sessions(self, session_ids: Sequence[UUID]) -> Json:
        """Those of these sessions that have ended."""
        with self.db.autocommit() as connection:
            return {"ended": session_queries.ended_among(connection, session_ids, self.clock())}

    @rpc(requests.SessionOfUser, answers.SessionPage)
    def list_sessions(self, user_id: UUID, session_id: UUID | None) -> Json:
        """The sessions of a user; `session_id` is the one that asks."""
        with self.db.autocommit() as connection:
            items = session_queries.of_user(connection, user_id, session_id, self.clock())
        return {"items": items, "next": None}

    @rpc(requests.EndSession, answers.Ended, sensitive_arguments="network")
    def end_session(self, user_id: UUID, session_id: UUID, network: str | None) -> Json:
        """End one session of one's own."""
        session_commands.end(self, user_id, session_id, network)
        return {"ended": [session_id]}

    @rpc(requests.EndSessions, answers.Ended, sensitive_arguments="network")
    def end_sessions(
        self, user_id: UUID, but: UUID | None, actor: Actor, network: str | None
    ) -> Json:
        """End all sessions of a user, one's own or, for admins, anybody's; `but` goes on."""
        return {"ended": session_commands.end_all(self, user_id, but, actor, network)}

    @rpc(requests.RotateKeys, answers.KeyId, once=True)
    def rotate_keys(self, actor: Actor) -> Json:
        """Sign access tokens with another key from now on (admins)."""
        return {"kid": session_commands.rotate_keys(self, actor)}

    @rpc(answer=answers.JsonWebKeys)
    def jwks(self) -> Json:
        """The public keys of access tokens that may still hold."""
        lifetime = Lifetimes.of(self.settings).access_token
        with self.db.begin() as session:
            return signing_keys.published(session, self.clock(), lifetime)

    # The second factor

    @rpc(requests.LoginTotp, answers.Tokens, sensitive_arguments="proof")
    def login_totp(self, **proof: Any) -> Json:
        """Sign in with a challenge of `login` and a code."""
        return login_commands.log_in_totp(self, **proof)

    @rpc(requests.OfUser, answers.TotpState)
    def get_totp(self, user_id: UUID) -> Json:
        """Whether a user has a second factor, and needs one."""
        with self.db.autocommit() as connection:
            return second_factor_queries.state(connection, user_id, self.settings)

    @rpc(requests.EnrolTotp, answers.TotpSecret, once=True, sensitive_arguments="current_password")
    def enrol_totp(self, user_id: UUID, current_password: str) -> Json:
        """A secret for an authenticator app; it takes effect when it is confirmed."""
        return second_factor_commands.enrol(self, user_id, current_password)

    @rpc(
        requests.ConfirmTotp,
        answers.NewRecoveryCodes,
        once=True,
        sensitive_arguments=("code", "network"),
    )
    def confirm_totp(self, user_id: UUID, code: str, network: str | None) -> Json:
        """Turn the second factor on; the recovery codes are shown now and never again."""
        codes = second_factor_commands.confirm(self, user_id, code, network)
        return {"recovery_codes": codes}

    @rpc(
        requests.TotpProof,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def disable_totp(
        self, user_id: UUID, current_password: str, code: str, network: str | None
    ) -> None:
        """Sign in with the password alone from now on."""
        second_factor_commands.disable(self, user_id, current_password, code, network)

    @rpc(
        requests.TotpProof,
        answers.NewRecoveryCodes,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def renew_recovery_codes(
        self, user_id: UUID, current_password: str, code: str, network: str | None
    ) -> Json:
        """New recovery codes, shown now and never again; the previous ones end."""
        codes = second_factor_commands.renew_recovery_codes(
            self, user_id, current_password, code, network
        )
        return {"recovery_codes": codes}

    @rpc(requests.Delete, answers.Ended, sensitive_arguments="network")
    def reset_totp(self, user_id: UUID, actor: Actor, network: str | None) -> Json:
        """Take the second factor from a user who has lost it (admins); all sessions end."""
        return {"ended": second_factor_commands.reset(self, user_id, actor, network)}

    # The audit trail

    @rpc(requests.ListAudit, answers.AuditPage)
    def list_audit(self, actor: Actor, **filters: Any) -> Json:
        """Entries of the audit trail, the newest first (admins)."""
        require_admin(actor)
        with self.db.autocommit() as connection:
            return _page(audit_queries.page(connection, **filters))

    @rpc(requests.ListSignIns, answers.SignInPage)
    def list_sign_ins(self, user_id: UUID, limit: int, cursor: str | None) -> Json:
        """When and from where a user has signed in, or somebody tried to."""
        with self.db.autocommit() as connection:
            return _page(audit_queries.sign_ins(connection, user_id, limit, cursor))

    @event_handler("products", "staff_acted", StaffActed)
    @event_handler("inventory", "staff_acted", StaffActed)
    @event_handler("orders", "staff_acted", StaffActed)
    @event_handler("payments", "staff_acted", StaffActed)
    @event_handler("notifications", "staff_acted", StaffActed)
    def record_staff_action(self, event: Event) -> None:
        """Write into the audit trail what staff did elsewhere."""
        audit_commands.record_staff_action(self, event)

    @timer(interval=600)
    def purge(self) -> None:
        """Delete what has expired."""
        jobs.purge(self)


def _page(page: tuple[Any, str | None]) -> Json:
    items, following = page
    return {"items": items, "next": following}
