"""What it means to the caller when the database refuses a row."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from chassis.errors import Fault


def broken(error: IntegrityError) -> str:
    """The name of the constraint that a statement broke."""
    original: Any = error.orig  # psycopg2's, which has no types
    return original.diag.constraint_name or ""


@contextmanager
def map_integrity_error(faults: Mapping[str, Callable[[], Fault]]) -> Iterator[None]:
    """Raise the fault that stands for the constraint (by its name) that a statement broke."""
    try:
        yield
    except IntegrityError as error:
        fault = faults.get(broken(error))
        if fault is None:
            raise
        raise fault() from None
