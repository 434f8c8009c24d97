"""The load generator: a program of its own, so that measuring does not disturb what is measured.

It reads a plan (JSON, see `Plan`) from standard input and writes what it saw to standard output.
It needs nothing but Python, and uses uvloop where that is installed. HTTP/1.1 with keep-alive,
requests as bytes that are ready to send; of an answer it reads the status and the length.

Closed loop: each connection sends its next request when it has the last answer. Open loop (with a
`rate`): requests are due at fixed times, and their latency counts from then, whether or not a
connection was free (so that a slow server cannot slow down its own measurement).
"""

import asyncio
import gc
import json
import selectors
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass

#: Nanoseconds between two bodies that are kept, so that somebody can look at them.
SAMPLE_EVERY = 50_000_000
#: Seconds for the last answers to come.
PATIENCE = 15


@dataclass(frozen=True)
class Plan:
    """`warm` seconds that don't count, then `seconds` that do; `requests` in turn, from `first`.

    With a `rate` (requests a second) the loop is open.
    """

    port: int
    requests: list[str]
    connections: int = 16
    seconds: float = 3.0
    warm: float = 0.3
    first: int = 0
    rate: float | None = None
    host: str = "127.0.0.1"


class Unreadable(Exception):
    """An answer without a length."""


def parse(data: bytes) -> tuple[int, bytes, bool] | None:
    """Status and body of an answer, and whether it is the last of its connection; None when it is
    not all there yet."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise Unreadable(head.decode(errors="replace"))
    body = end + 4
    length = int(head[at + 17 : head.index(b"\r\n", at + 17)])
    if len(data) < body + length:
        return None
    return int(head[9:12]), data[body : body + length], b"\r\nconnection: close" in head


class Connection(asyncio.Protocol):
    """One keep-alive connection, with one request at a time."""

    def __init__(self, load: "Load"):
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._request: int | None = None
        self._since = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._load.is_free(self)

    def send(self, request: int, since: int) -> None:
        """Send it; its latency counts from `since`."""
        self._request, self._since = request, since
        self._transport.write(self._load.requests[request])

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        answer = parse(data)
        if answer is None:
            self._data = data
            return
        self._data = b""
        status, body, is_last = answer
        request, self._request = self._request, None
        self._load.note(request, self._since, status, body)
        if is_last:
            self._transport.close()
        else:
            self._load.is_free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost(self, in_use=self._request is not None)


class Load:
    """All connections, and what came of their requests. Times are in nanoseconds."""

    def __init__(self, plan: Plan, loop: asyncio.AbstractEventLoop):
        self.requests = [request.encode("latin-1") for request in plan.requests]
        self._plan = plan
        self._loop = loop
        self._next = plan.first % len(self.requests)
        self._free: deque[Connection] = deque()
        self._due: deque[int] = deque()
        self._pending = 0
        self._tasks: set[asyncio.Task] = set()
        self._over = asyncio.Event()
        self._begins = self._ends = 0
        self._sample_at = 0
        self._latencies: list[int] = []
        self._statuses: Counter[int] = Counter()
        self._lost = 0
        self._sample: list[tuple[int, str]] = []

    async def run(self) -> dict[str, object]:
        plan = self._plan
        self._begins = time.perf_counter_ns() + int(plan.warm * 1e9)
        self._ends = self._begins + int(plan.seconds * 1e9)
        for _ in range(plan.connections):
            await self._connect()
        if plan.rate:
            await self._keep_pace(plan.rate)
        self._loop.call_later(max(0, self._ends - time.perf_counter_ns()) / 1e9, self._check_over)
        await asyncio.wait_for(self._over.wait(), plan.warm + plan.seconds + PATIENCE)
        return self._result()

    async def _connect(self) -> None:
        await self._loop.create_connection(
            lambda: Connection(self), self._plan.host, self._plan.port
        )

    async def _keep_pace(self, rate: float) -> None:
        gap, due = 1e9 / rate, time.perf_counter_ns()
        while due < self._ends:
            wait = due - time.perf_counter_ns()
            if wait > 0:
                await asyncio.sleep(wait / 1e9)
            self._due.append(int(due))
            self._pending += 1
            due += gap
            if self._free:
                self._send(self._free.popleft(), self._due.popleft())

    def is_free(self, connection: Connection) -> None:
        """It has nothing to do: give it the next request, if there is one."""
        now = time.perf_counter_ns()
        if self._plan.rate:
            if self._due:
                self._send(connection, self._due.popleft())
            else:
                self._free.append(connection)
        elif now < self._ends:
            self._pending += 1
            self._send(connection, now)
        self._check_over()

    def _send(self, connection: Connection, since: int) -> None:
        connection.send(self._next, since)
        self._next = (self._next + 1) % len(self.requests)

    def note(self, request: int, since: int, status: int, body: bytes) -> None:
        """An answer is there."""
        now = time.perf_counter_ns()
        self._pending -= 1
        self._statuses[status] += 1
        counted_from = since if self._plan.rate else now
        if self._begins <= counted_from < self._ends:
            self._latencies.append(now - since)
        if now >= self._sample_at:
            self._sample_at = now + SAMPLE_EVERY
            self._sample.append((request, body.decode(errors="replace")))

    def lost(self, connection: Connection, in_use: bool) -> None:
        """The server closed a connection: another takes its place."""
        if in_use:
            self._pending -= 1
            self._lost += 1
        elif connection in self._free:
            self._free.remove(connection)
        if time.perf_counter_ns() < self._ends:
            task = self._loop.create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._check_over()

    def _check_over(self) -> None:
        if self._pending == 0 and time.perf_counter_ns() >= self._ends:
            self._over.set()

    def _result(self) -> dict[str, object]:
        """See `bench.run.Loaded`; latencies in microseconds."""
        found = sorted(self._latencies)
        at = lambda share: found[min(len(found) - 1, int(share * len(found)))] // 1000  # noqa: E731
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        return {
            "rate": len(found) / self._plan.seconds,
            "latencies": {name: at(share) for name, share in shares.items()} if found else {},
            "statuses": {str(status): count for status, count in self._statuses.items()},
            "lost": self._lost,
            "sample": self._sample,
        }


def new_loop(is_paced: bool) -> asyncio.AbstractEventLoop:
    """The fastest there is; to keep pace, one that sleeps to the microsecond: epoll, on which all
    others are built, rounds to milliseconds."""
    if is_paced:
        return asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    gc.disable()  # some seconds, some megabytes
    with asyncio.Runner(loop_factory=lambda: new_loop(plan.rate is not None)) as runner:
        json.dump(runner.run(_run(plan)), sys.stdout)


async def _run(plan: Plan) -> dict[str, object]:
    return await Load(plan, asyncio.get_running_loop()).run()


if __name__ == "__main__":
    main()
