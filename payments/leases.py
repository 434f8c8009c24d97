"""Work that falls due once for all instances of the service, however many there are.

Who finds it due sets it aside for as long as it may take, in a row, and does it. When that
instance dies meanwhile, the time set aside runs out and another one does it.
"""

import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.models import Turn

#: Nobody else begins for so long: longer than a comparison of a day takes.
SET_ASIDE = datetime.timedelta(minutes=10)


def take(
    begin: Callable[[], AbstractContextManager[Session]],
    clock: Callable[[], datetime.datetime],
    name: str,
    every: datetime.timedelta,
    work: Callable[[], object],
) -> None:
    """Do `work` if it is due. It is due again `every` so often, and sooner if it raises."""
    begun = clock()
    until = begun + SET_ASIDE
    claim = insert(Turn).values(name=name, due_at=until)
    claim = claim.on_conflict_do_update(
        index_elements=["name"], set_={"due_at": until}, where=Turn.due_at <= begun
    )
    with begin() as session:
        is_ours = session.execute(claim).rowcount == 1
    if is_ours:
        work()
        done = update(Turn).where(Turn.name == name, Turn.due_at == until)
        with begin() as session:
            session.execute(done.values(due_at=begun + every))
