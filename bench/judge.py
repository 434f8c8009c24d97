"""Are the answers right? Nobody is timed before."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from bench.started import Started
from bench.traffic import Request, ask, comparable
from shop.local.server import LocalError

#: Whether a body is a right answer to a request, where there is nothing to compare it with.
Check = Callable[[Request, Any], bool]


class WrongAnswer(LocalError):
    """A contender answered something else than it should: its speed means nothing."""


class Judge:
    """Knows what the right answers are: those of `reference`, or what `check` says."""

    def __init__(
        self, reference: Started, requests: Sequence[Request], expect: int, check: Check | None
    ):
        self._reference = reference
        self._requests = requests
        self._expect = expect
        self._check = check
        self._known: dict[int, Any] = {}

    def examine(self, started: Started, count: int = 10) -> int:
        """Ask a few requests one by one, and say how many; `WrongAnswer` when an answer is not
        right. What a limit says is nothing to compare."""
        if started.contender.is_limit:
            return 0
        step = max(1, len(self._requests) // count)
        numbers = range(0, len(self._requests), step)
        for number in numbers:
            status, body = ask(started.port, self._requests[number])
            if status != self._expect:
                raise WrongAnswer(f"{started.name} answers {status} {body}")
            self._judge(started, number, body)
        return len(numbers)

    def look_at(self, started: Started, sample: Sequence[tuple[int, str]]) -> None:
        """`WrongAnswer` when one of these bodies is not right."""
        if started.contender.is_limit:
            return
        for number, body in sample:
            self._judge(started, number, json.loads(body))

    def _judge(self, started: Started, number: int, body: Any) -> None:
        request = self._requests[number]
        if self._check:
            right = self._check(request, body)
        else:
            right = comparable(body) == self._expected(number)
        if not right:
            raise WrongAnswer(f"{started.name} answers {request.path} with {body}")

    def _expected(self, number: int) -> Any:
        if number not in self._known:
            _, body = ask(self._reference.port, self._requests[number])
            self._known[number] = comparable(body)
        return self._known[number]
