"""Calls to those who are no service of ours: mail servers, payment providers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.observers import Observers, observers_of

OK, FAILED = "ok", "failed"


@dataclass
class Call:
    """A call that is being made; who makes it may say more exactly what came of it."""

    outcome: str | None = None


#: `with external_call("stripe", "charge", {...}) as call`: provider and operation are of few words,
#: known beforehand; the attributes hold nothing personal.
ExternalCall = Callable[[str, str, Mapping[str, Any] | None], AbstractContextManager[Call]]


class ExternalCalls(DependencyProvider):
    """Injects an `ExternalCall`. Without attributes the call is counted, and in no trace."""

    def get_dependency(self, worker_ctx: Any) -> ExternalCall:
        return partial(observed, observers_of(self.container), worker_ctx.data)


@contextmanager
def observed(
    observers: Observers,
    data: dict[str, Any],
    provider: str,
    operation: str,
    attributes: Mapping[str, Any] | None,
) -> Iterator[Call]:
    """A call by a worker with `data` for its context, reported to `observers`. Its outcome is ok or
    failed, unless the call has another one at its end."""
    call, began, error = Call(), perf_counter(), None
    end = None
    if attributes is not None:
        end = observers.external_call(data, f"{provider} {operation}", attributes)
    try:
        yield call
    except BaseException as caught:
        error = caught
        raise
    finally:
        if end is not None:
            end(error)
        outcome = call.outcome or (OK if error is None else FAILED)
        observers.external_answer(provider, operation, outcome, perf_counter() - began)
