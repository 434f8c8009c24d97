"""Signing in. `network` is where the client is, None among services."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from chassis.messages import Json
from contracts.users.enums import Action
from contracts.users.errors import BadCredentials, TotpFailed, TotpRequired
from users import throttle
from users.audit import commands as audit
from users.context import Context
from users.origin import Origin, origin_of
from users.passwords import authentication, challenges
from users.second_factor import store as second_factor_store
from users.second_factor import totp
from users.sessions import access_tokens
from users.sessions import store as session_store


def log_in(
    context: Context,
    name: Mapping[str, str],
    password: str,
    network: str | None,
    user_agent: str | None,
) -> Json:
    """Tokens for a new session of the user with this name (`email` or `username`) and password.

    Raises `BadCredentials`, `TooManyRequests`, and `TotpRequired` for who has a second factor.
    """
    origin = origin_of(network, user_agent)
    for _ in range(2):  # another login at the same instant may have renewed the hash
        user, attempt = authentication.authenticate(context, name, password, network, origin)
        tokens = challenge = None
        with context.db.begin() as session:
            if second_factor_store.is_enabled(session, user["id"]):
                challenge = challenges.begin(session, user, context.clock())
                throttle.forgive(session, attempt, context.clock())
            else:
                tokens = _sign_in(context, session, user, attempt, network, origin)
        if tokens or challenge:
            authentication.renew_hash(context, user, password)
        if challenge is not None:
            raise TotpRequired(challenge=challenge)
        if tokens is not None:
            return tokens
    raise BadCredentials()


def log_in_totp(
    context: Context, challenge: str, code: str, network: str | None, user_agent: str | None
) -> Json:
    """Tokens for a new session of whoever has a challenge of `log_in` and a code; raises
    `ChallengeExpired`, `TooManyRequests` and `TotpFailed`."""
    now, origin = context.clock(), origin_of(network, user_agent)
    with context.db.begin() as session:
        user = challenges.owner(session, challenge, now)
        attempt = throttle.second_factor(session, user["id"], network, now)
    with context.db.begin() as session:
        user = challenges.owner(session, challenge, now)
        user_id, factor = user["id"], second_factor_store.verify(session, user["id"], code, now)
        if factor is None:
            failed = {"factor": totp.APP}
            audit.record(context, session, Action.SIGN_IN_FAILED, user_id, None, origin, **failed)
        else:
            challenges.redeem(session, challenge)
            if factor == totp.RECOVERY:
                left = second_factor_store.state(session, user_id)["recovery_codes_left"]
                used = {"user_id": user_id, "left": left}
                context.events.record(session, "recovery_code_used", used)
            tokens = _sign_in(context, session, user, attempt, network, origin, factor=factor)
            if tokens is not None:
                return tokens
    raise TotpFailed()  # only now: that somebody tried has to be committed


def _sign_in(
    context: Context,
    session: Session,
    user: RowMapping,
    attempt: throttle.Attempt,
    network: str | None,
    origin: Origin,
    **detail: Any,
) -> Json | None:
    """Tokens for a new session of a user who is authenticated, in the transaction of `session`;
    None when the user is gone or has another password by now."""
    grant = session_store.start(context, session, user["id"], user["password_hash"], origin)
    if grant is None:
        return None
    throttle.succeed(session, attempt, user["id"], network, context.clock())
    audit.record(context, session, Action.SIGNED_IN, user["id"], grant.actor, origin, **detail)
    return access_tokens.issue(context, session, grant)
