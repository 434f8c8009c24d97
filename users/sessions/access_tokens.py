"""The tokens that a client gets: a signed one for a while, and one to get the next with."""

from sqlalchemy.orm import Session

from chassis.identity import Signer
from chassis.messages import Json
from users.context import Context
from users.sessions import signing_keys
from users.sessions.lifetimes import Lifetimes
from users.sessions.store import Grant


def issue(context: Context, session: Session, grant: Grant) -> Json:
    """`contracts.users.answers.Tokens` for somebody who may have them; none outlives the
    session."""
    now = context.clock()
    lifetime = min(Lifetimes.of(context.settings).access_token, grant.expires_at - now)
    kid, key = signing_keys.active(session, now)
    signer = Signer(key, kid, context.identity["issuer"], context.identity["audience"], lifetime)
    return {
        "access_token": signer.sign(grant.actor, now, grant.session_id),
        "refresh_token": grant.refresh_token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
    }
