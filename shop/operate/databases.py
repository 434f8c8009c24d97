"""The databases of the shop, as operators' commands read them."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from shop.operate import settings
from shop.options import CannotTell
from shop.verify import Books


@contextmanager
def answering() -> Iterator[None]:
    """A server that is away while this lasts is `CannotTell`."""
    try:
        yield
    except sa.exc.OperationalError as error:
        raise CannotTell("the databases do not answer", error.orig) from None


@contextmanager
def opened() -> Iterator[Books]:
    """All of them; one that is away, or was never migrated, is `CannotTell`."""
    try:
        with answering(), Books(settings.load()) as books:
            yield books
    except sa.exc.ProgrammingError:
        raise CannotTell("the databases are not as expected", "run shop migrate") from None
