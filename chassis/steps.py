"""The instants between two steps of a command, by name: where a process may die half-way.

    RESERVED = Step("orders.checkout.reserved")
    ...
    RESERVED.reached()

Tests make a process die, or a rival come, at exactly one of them, whatever the functions around it
are called. Nobody watches in production: there it costs a look at an attribute.
"""

from collections.abc import Callable
from typing import Any, ClassVar


class Step:
    """An instant, named after what is done by then; each name is declared once."""

    #: All that the imported modules declare, by name.
    declared: ClassVar[dict[str, "Step"]] = {}
    #: Told of each step that is reached, and of what (see `reached`).
    watch: ClassVar[Callable[["Step", Any], None] | None] = None

    __slots__ = ("name",)

    def __init__(self, name: str):
        if name in self.declared:
            raise ValueError(f"step {name} is declared twice")
        self.name = name
        self.declared[name] = self

    def __repr__(self) -> str:
        return f"Step({self.name!r})"

    def reached(self, entrypoint: Any = None) -> None:
        """What the step is named after is done; what comes next has not begun. `entrypoint` says
        which one, where all of a kind have the same step."""
        if Step.watch is not None:
            Step.watch(self, entrypoint)
