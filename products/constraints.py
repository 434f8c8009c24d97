"""What it means to the caller when the database refuses a row."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from chassis.errors import Fault


@contextmanager
def map_integrity_error(faults: Mapping[str, Callable[[], Fault]]) -> Iterator[None]:
    """Raise the fault that stands for the constraint (by its name) that a statement broke."""
    try:
        yield
    except IntegrityError as error:
        fault = faults.get(error.orig.diag.constraint_name)
        if fault is None:
            raise
        raise fault() from None
