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
from users import audit, schemas
from users.accounts import commands as account_commands
from users.accounts import queries as account_queries
from users.audit import Action
from users.errors import SessionEnded, TotpNotEnabled
from users.origin import Origin, origin_of
from users.second_factor import totp
from users.second_factor.commands import SecondFactor
from users.sessions import commands as session_commands
from users.sessions import queries as session_queries
from users.sessions import signing_keys

SESSION, STATE, ENDED = (
    schemas.sessions.LoginSession(),
    schemas.sessions.SessionState(),
    schemas.sessions.Ended(),
)
TOTP, TOTP_SECRET = schemas.second_factor.TotpState(), schemas.second_factor.TotpSecret()
TOKENS, AUDIT, SIGN_IN = (
    schemas.sessions.Tokens(),
    schemas.audit.AuditEntry(),
    schemas.audit.SignIn(),
)


class SecurityMethods:
    """A part of `UsersService`, which has the dependencies."""

    @rpc(schemas.sessions.Token, sensitive_arguments=("refresh_token", "network"))
    def refresh(self, refresh_token, network):
        now, lives, origin = self.clock(), self._lifetimes(), origin_of(network)
        ended: dict[str, Any] = {}
        with self._begin() as session:
            outcome = session_commands.refresh(session, refresh_token, origin, now, lives)
            if isinstance(outcome, session_commands.Grant):
                return self._tokens(session, outcome)
            if isinstance(outcome, session_commands.Theft):
                ended = ENDED.dump({"ended": [outcome.session_id]})
                owner = outcome.user_id
                self._record(session, Action.REFRESH_TOKEN_REUSED, owner, None, origin)
        raise SessionEnded(**ended)  # only now: the end of a stolen family has to be committed

    @rpc(schemas.sessions.Token, sensitive_arguments=("refresh_token", "network"))
    def logout(self, refresh_token, network):
        with self._begin() as session:
            over = session_commands.log_out(session, refresh_token)
            if over is not None:
                actor = self._person(session, over.user_id)
                self._record(session, Action.SIGNED_OUT, over.user_id, actor, origin_of(network))
        return ENDED.dump({"ended": [over.id] if over else []})

    @rpc(schemas.sessions.CheckSession)
    def check_session(self, user_id, session_id):
        """Whether a session goes on, and what its user may do; raises `SessionEnded`."""
        with self.db.autocommit() as connection:
            user = session_queries.check(connection, user_id, session_id, self.clock())
        must_enrol = self._needs_totp(user["role"]) and not user["has_totp"]
        return STATE.dump({"role": user["role"], "must_enrol": must_enrol})

    @rpc(schemas.sessions.SessionIds)
    def ended_sessions(self, session_ids):
        """Those of these sessions that have ended."""
        with self.db.autocommit() as connection:
            return ENDED.dump(
                {"ended": session_queries.ended_among(connection, session_ids, self.clock())}
            )

    @rpc(schemas.sessions.CheckSession)
    def list_sessions(self, user_id, session_id):
        """The sessions of a user; `session_id` is the one that asks."""
        with self.db.autocommit() as connection:
            rows = session_queries.of_user(connection, user_id, self.clock())
        items = [{**row, "current": row["id"] == session_id} for row in rows]
        return {"items": SESSION.dump(items, many=True), "next": None}

    @rpc(schemas.sessions.EndSession, sensitive_arguments="network")
    def end_session(self, user_id, session_id, network):
        """End one session of one's own."""
        with self._begin() as session:
            session_commands.end(session, user_id, session_id)
            actor = self._person(session, user_id)
            self._record(
                session, Action.SESSIONS_ENDED, user_id, actor, origin_of(network), count=1
            )
        return ENDED.dump({"ended": [session_id]})

    @rpc(schemas.sessions.EndSessions, sensitive_arguments="network")
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
        return ENDED.dump({"ended": session_commands.ended(session).get(user_id, [])})

    @rpc(schemas.second_factor.LoginTotp, sensitive_arguments="proof")
    def login_totp(self, **proof):
        """Sign in with a challenge of `login` and a code."""
        return self._second_factor().log_in(**proof, admit=self._admit)

    @rpc(schemas.common.Get)
    def get_totp(self, user_id):
        """Whether a user has a second factor, and needs one."""
        with self.db.autocommit() as connection:
            role = account_queries.get(connection, user_id)["role"]
            state = totp.state(connection, user_id)
        return TOTP.dump({**state, "required": self._needs_totp(role)})

    @rpc(schemas.second_factor.EnrolTotp, once=True, sensitive_arguments="current_password")
    def enrol_totp(self, user_id, current_password):
        """A secret for an authenticator app; it counts once it is confirmed."""
        issuer = self.identity["issuer"]
        return TOTP_SECRET.dump(self._second_factor().enrol(user_id, current_password, issuer))

    @rpc(schemas.second_factor.ConfirmTotp, once=True, sensitive_arguments=("code", "network"))
    def confirm_totp(self, user_id, code, network):
        """Have the second factor count; the recovery codes are told now and never again."""
        codes = self._second_factor().confirm(user_id, code, network)
        return {"recovery_codes": codes}

    @rpc(
        schemas.second_factor.DisableTotp,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def disable_totp(self, user_id, current_password, code, network):
        """Sign in with the password alone from now on."""
        self._second_factor().disable(user_id, current_password, code, network)

    @rpc(
        schemas.second_factor.RenewRecoveryCodes,
        once=True,
        sensitive_arguments=("current_password", "code", "network"),
    )
    def renew_recovery_codes(self, user_id, current_password, code, network):
        """Other recovery codes, told now and never again; those of before end."""
        codes = self._second_factor().renew_recovery_codes(user_id, current_password, code, network)
        return {"recovery_codes": codes}

    @rpc(schemas.second_factor.ResetTotp, sensitive_arguments="network")
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
        return ENDED.dump({"ended": session_commands.ended(session).get(user_id, [])})

    @rpc(schemas.audit.ListAudit)
    def list_audit(self, limit, cursor, actor, action, **who_and_when):
        """Entries of the audit trail, the newest first."""
        admins_only(actor)
        actions = () if action is None else (action,)
        rows, following = self._audited("audit", limit, cursor, actions=actions, **who_and_when)
        return {"items": AUDIT.dump(rows, many=True), "next": following}

    @rpc(schemas.audit.ListSignIns)
    def list_sign_ins(self, user_id, limit, cursor):
        """When and from where a user has signed in, or somebody tried to."""
        rows, following = self._audited(
            "sign-ins", limit, cursor, user_id=user_id, actions=audit.SIGN_INS
        )
        return {"items": SIGN_IN.dump(rows, many=True), "next": following}

    @event_handler("products", "staff_acted", schemas.audit.StaffActed)
    @event_handler("inventory", "staff_acted", schemas.audit.StaffActed)
    @event_handler("orders", "staff_acted", schemas.audit.StaffActed)
    @event_handler("payments", "staff_acted", schemas.audit.StaffActed)
    @event_handler("notifications", "staff_acted", schemas.audit.StaffActed)
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
            self.broadcast.publish_now("sessions_ended", news)
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
        return TOKENS.dump(
            {
                "access_token": signer.sign(grant.actor, now, grant.session_id),
                "refresh_token": grant.refresh_token,
                "expires_in": int(lifetime.total_seconds()),
            }
        )

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
