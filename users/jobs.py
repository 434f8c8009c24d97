"""What timers do."""

import datetime
from functools import partial

from users import throttle
from users.audit import commands as audit
from users.context import Context
from users.passwords import challenges, resets
from users.sessions import store as session_store
from users.verification import store as verification_store


def purge(context: Context) -> None:
    """Delete what has expired, each kind in a transaction of its own."""
    retention = datetime.timedelta(days=context.settings["audit_retention_days"])
    for delete_old in (
        session_store.purge,
        resets.purge,
        verification_store.purge,
        throttle.purge,
        challenges.purge,
        partial(audit.purge, retention=retention),
    ):
        with context.db.begin() as session:
            delete_old(session, context.clock())
