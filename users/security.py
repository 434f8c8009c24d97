"""What `users` is asked about sessions and the audit trail, and how both are written."""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from chassis.errors import Forbidden
from chassis.events import event_handler
from chassis.identity import Actor, Role, Signer
from chassis.rpc import rpc
from chassis.staff import StaffActed
from contracts.users import answers, requests
from contracts.users.enums import Action
from contracts.users.errors import SessionEnded, TotpNotEnabled
from users import audit
from users.accounts import commands as account_commands
from users.accounts import queries as account_queries
from users.origin import Origin, origin_of
from users.second_factor import totp
from users.second_factor.commands import SecondFactor
from users.sessions import commands as session_commands
from users.sessions import queries as session_queries
from users.sessions import signing_keys


class SecurityMethods:
    """A part of `UsersService`, which has the dependencies."""

    @rpc(requests.RefreshToken, answers.Tokens, sensitive_arguments=("refresh_token", "network"))
    def refresh(self, refresh_token, network):
        now, lives, origin = self.clock(), self._lifetimes(), origin_of(network)
        ended: dict[str, Any] = {}
        with self._begin() as session:
            outcome = session_commands.refresh(session, refresh_token, origin, now, lives)
            if isinstance(outcome, session_commands.Grant):
                return self._tokens(session, outcome)
            if isinstance(outcome, session_commands.Theft):
                ended = {"ended": [str(outcome.session_id)]}
                owner = outcome.user_id
                self._record(session, Action.REFRESH_TOKEN_REUSED, owner, None, origin)
        raise SessionEnded(**ended)  # only now: the end of a stolen family has to be committed

    @rpc(requests.RefreshToken, answers.Ended, sensitive_arguments=("refresh_token", "network"))
    def logout(self, refresh_token, network):
        with self._begin() as session:
            over = session_commands.log_out(session, refresh_token)
            if over is not None:
                actor = self._person(session, over.user_id)
                self._record(session, Action.SIGNED_OUT, over.user_id, actor, origin_of(network))
        return {"ended": [over.id] if over else []}

    @rpc(requests.SessionOfUser, answers.SessionState)
    def check_session(self, user_id, session_id):
        """Whether a session goes on, and what its user may do; raises `SessionEnded`."""
        with self.db.autocommit() as connection:
            user = session_queries.check(connection, user_id, session_id, self.clock())
        must_enrol = self._needs_totp(user["role"]) and not user["has_totp"]
        return {"role": user["role"], "must_enrol": must_enrol}

    @rpc(requests.SessionIds, answers.Ended)
    def ended_sessions(self, session_ids):
        """Those of these sessions that have ended."""
        with self.db.autocommit() as connection:
            return {"ended": session_queries.ended_among(connection, session_ids, self.clock())}

    @rpc(requests.SessionOfUser, answers.SessionPage)
    def list_sessions(self, user_id, session_id):
        """The sessions of a user; `session_id` is the one that asks."""
        with self.db.autocommit() as connection:
            rows = session_queries.of_user(connection, user_id, self.clock())
        items = [{**row, "current": row["id"] == session_id} for row in rows]
        return {"items": items, "next": None}

    @rpc(requests.EndSession, answers.Ended, sensitive_arguments="network")
    def end_session(self, user_id, session_id, network):
        """End one session of one's own."""
        with self._begin() as session:
            session_commands.end(session, user_id, session_id)
            actor = self._person(session, user_id)
            self._record(
                session, Action.SESSIONS_ENDED, user_id, actor, origin_of(network), count=1
            )
        return {"ended": [session_id]}

    @rpc(requests.EndSessions, answers.Ended, sensitive_arguments="network")
    def end_sessions(self, user_id, but, actor, network):
        """End all sessions of a user, one's own or, for admins, anybody's; `but` goes on."""
        if actor.user_id != user_id:
            admins_only(actor)
        with self._begin() as session:
            account_commands.lock(session, user_id)
            count = session_commands.end_all(session, user_id, but)
            self._record(
                session, Action.SESSIONS_ENDED, user_id, actor, origin_of(network), count=count
            )
        return {"ended": session_commands.ended(session).get(user_id, [])}

    @rpc(requests.LoginTotp, answers.Tokens, sensitive_arguments="proof")
    def login_totp(self, **proof):
        """Sign in with a challenge of `login` and a code."""
        return self._second_factor().log_in(**proof, admit=self._admit)

    @rpc(requests.OfUser, answers.TotpState)
    def get_totp(self, user_id):
        """Whether a user has a second factor, and needs one."""
        with self.db.autocommit() as connection:
            role = account_queries.get(connection, user_id)["role"]
            state = totp.state(connection, user_id)
        return {**state, "required": self._needs_totp(role)}

    @rpc(requests.EnrolTotp, answers.TotpSecret, once=True, sensitive_arguments="current_password")
    def enrol_totp(self, user_id, current_password):
        """A secret for an authenticator app; it counts once it is confirmed."""
        issuer = self.identity["issuer"]
        return self._second_factor().enrol(user_id, current_password, issuer)

    @rpc(
        requests.ConfirmTotp,
        answers.NewRecoveryCodes,
        once=True,
        sensitive_arguments=("code", "network"),
    )
    def confirm_totp(self, user_id, code, network):
        """Have the second factor count; the recovery codes are told now and never again."""
        codes = self._second_factor().confirm(user_id, code, network)
        return {"recovery_codes": codes}

    @rpc(
        requests.TotpProof,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def disable_totp(self, user_id, current_password, code, network):
        """Sign in with the password alone from now on."""
        self._second_factor().disable(user_id, current_password, code, network)

    @rpc(
        requests.TotpProof,
        answers.NewRecoveryCodes,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def renew_recovery_codes(self, user_id, current_password, code, network):
        """Other recovery codes, told now and never again; those of before end."""
        codes = self._second_factor().renew_recovery_codes(user_id, current_password, code, network)
        return {"recovery_codes": codes}

    @rpc(requests.Delete, answers.Ended, sensitive_arguments="network")
    def reset_totp(self, user_id, actor, network):
        """Take the second factor from a user who has lost it; all sessions end."""
        admins_only(actor)
        with self._begin() as session:
            account_commands.lock(session, user_id)
            if not totp.forget(session, user_id):
                raise TotpNotEnabled()
            session_commands.end_all(session, user_id)
            self._record(session, Action.TOTP_RESET, user_id, actor, origin_of(network))
            self.events.record(session, "totp_disabled", {"user_id": user_id})
        return {"ended": session_commands.ended(session).get(user_id, [])}

    @rpc(requests.ListAudit, answers.AuditPage)
    def list_audit(self, limit, cursor, actor, action, **who_and_when):
        """Entries of the audit trail, the newest first."""
        admins_only(actor)
        actions = () if action is None else (action,)
        rows, following = self._audited("audit", limit, cursor, actions=actions, **who_and_when)
        return {"items": rows, "next": following}

    @rpc(requests.ListSignIns, answers.SignInPage)
    def list_sign_ins(self, user_id, limit, cursor):
        """When and from where a user has signed in, or somebody tried to."""
        rows, following = self._audited(
            "sign-ins", limit, cursor, user_id=user_id, actions=audit.SIGN_INS
        )
        items = [{**row, "succeeded": row["action"] == Action.SIGNED_IN} for row in rows]
        return {"items": items, "next": following}

    @event_handler("products", "staff_acted", StaffActed)
    @event_handler("inventory", "staff_acted", StaffActed)
    @event_handler("orders", "staff_acted", StaffActed)
    @event_handler("payments", "staff_acted", StaffActed)
    @event_handler("notifications", "staff_acted", StaffActed)
    def record_staff_action(self, event):
        """Write into the audit trail what staff did elsewhere."""
        with self._begin(self.db.once(event)) as session:
            audit.record_event(session, event)

    @contextmanager
    def _begin(self, begun: AbstractContextManager[Session] | None = None) -> Iterator[Session]:
        """A transaction, or what `begun` begins; when it is committed, the gateways are told which
        sessions have ended, and the log what the audit trail has."""
        with begun or self.db.begin() as session:
            yield session
        for user_id, session_ids in session_commands.ended(session).items():
            news = {"user_id": user_id, "session_ids": session_ids}
            self.news.tell_now("sessions_ended", news)
        for entry in audit.written(session):
            self.log.info("audit", **entry)

    def _record(
        self,
        session: Session,
        action: Action,
        user_id: UUID | None,
        actor: Actor | None,
        origin: Origin | None = None,
        **detail: Any,
    ) -> None:
        """See `users.audit.record`."""
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        now = self.clock()
        audit.record(session, action, user_id, actor, origin or Origin(), request_id, now, **detail)

    def _note(
        self, session: Session, user_id: UUID, actor: Actor, network: str | None = None
    ) -> account_commands.Note:
        """See `users.accounts.commands.Note`."""

        def note(action: Action, **detail: Any) -> None:
            self._record(session, action, user_id, actor, origin_of(network), **detail)

        return note

    def _person(self, session: Session, user_id: UUID) -> Actor:
        """Users themselves, as those who act."""
        return Actor(user_id, Role(account_queries.get(session.connection(), user_id)["role"]))

    def _audited(
        self, of: str, limit: int, cursor: str | None, **wanted: Any
    ) -> tuple[Sequence[RowMapping], str | None]:
        """A page of the audit trail, and the cursor of the next; `of` names the list."""
        with self.db.autocommit() as connection:
            return audit.page(connection, of, limit, cursor, **wanted)

    def _second_factor(self) -> SecondFactor:
        return SecondFactor(
            self._begin, self.clock, self._doorman(), self.events.record, self._record
        )

    def _needs_totp(self, role: str) -> bool:
        return self.settings["staff_totp_required"] and role != Role.CUSTOMER

    def _admit(
        self, session: Session, user_id: UUID, password_hash: str, origin: Origin
    ) -> dict[str, Any] | None:
        """See `users.sessions.authentication.Admit`."""
        now, lives = self.clock(), self._lifetimes()
        grant = session_commands.start(session, user_id, password_hash, origin, now, lives)
        return grant and self._tokens(session, grant)

    def _tokens(self, session: Session, grant: session_commands.Grant) -> dict[str, Any]:
        """The answer to a login or refresh."""
        now = self.clock()
        lifetime = min(self._access_lifetime(), grant.expires_at - now)
        kid, key = signing_keys.active(session, now)
        signer = Signer(key, kid, self.identity["issuer"], self.identity["audience"], lifetime)
        return {
            "access_token": signer.sign(grant.actor, now, grant.session_id),
            "refresh_token": grant.refresh_token,
            "token_type": "Bearer",
            "expires_in": int(lifetime.total_seconds()),
        }

    def _access_lifetime(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self.settings["access_token_seconds"])

    def _lifetimes(self) -> session_commands.Lifetimes:
        return session_commands.Lifetimes(
            refresh_token=datetime.timedelta(seconds=self.settings["refresh_token_seconds"]),
            grace=datetime.timedelta(seconds=self.settings["refresh_grace_seconds"]),
            session=datetime.timedelta(seconds=self.settings["session_seconds"]),
            staff_session=datetime.timedelta(seconds=self.settings["staff_session_seconds"]),
        )


def admins_only(actor: Actor) -> None:
    """Raise `Forbidden` for anybody else."""
    if not actor.is_admin:
        raise Forbidden()
