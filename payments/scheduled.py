"""Work that falls due once for all instances of the service, however many there are.

Who finds it due sets it aside for as long as it may take, in a row, and does it. When that
instance dies meanwhile, the time set aside runs out and another one does it.
"""

import datetime
from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from payments.context import Context
from payments.models import Lease

#: Nobody else begins for so long: longer than a comparison of a day takes.
SET_ASIDE = datetime.timedelta(minutes=10)


def run_if_due(
    context: Context, name: str, every: datetime.timedelta, work: Callable[[], object]
) -> None:
    """Do `work` if it is due. It is due again `every` so often, and sooner if it raises."""
    begun = context.clock()
    until = begun + SET_ASIDE
    claim = insert(Lease).values(name=name, due_at=until)
    claim = claim.on_conflict_do_update(
        index_elements=["name"], set_={"due_at": until}, where=Lease.due_at <= begun
    )
    with context.db.autocommit() as connection:
        is_ours = connection.scalar(claim.returning(Lease.name)) is not None
    if is_ours:
        work()
        done = update(Lease).where(Lease.name == name, Lease.due_at == until)
        with context.db.autocommit() as connection:
            connection.execute(done.values(due_at=begun + every))
