"""What entrypoints of the chassis share with those of Nameko."""


class Measured:
    """An entrypoint of the chassis; `kind` is its word in metrics."""

    kind: str
    method_name: str


Exceptions = type[BaseException] | tuple[type[BaseException], ...]


def expected(ours: type[BaseException], theirs: Exceptions) -> tuple[type[BaseException], ...]:
    """Exceptions that are no error of the service: ours, and those that its author expects, given
    to a decorator as `expected_exceptions`, one class or several."""
    return (ours, *(theirs if isinstance(theirs, tuple) else (theirs,)))
