"""What timers do."""

import datetime
from functools import partial

from users.accounts import verification
from users.audit import commands as audit
from users.context import Context
from users.passwords import resets
from users.second_factor import store as second_factor_store
from users.sessions import store as session_store
from users.sessions import throttle


def purge(context: Context) -> None:
    """Delete what has expired, each kind in a transaction of its own."""
    retention = datetime.timedelta(days=context.settings["audit_retention_days"])
    for delete_old in (
        session_store.purge,
        resets.purge,
        verification.purge,
        throttle.purge,
        second_factor_store.purge,
        partial(audit.purge, retention=retention),
    ):
        with context.db.begin() as session:
            delete_old(session, context.clock())
