"""A customer at the REST door who shows each call and answer, and does not give up at once."""

import http.client
import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape

#: Seconds in which a shop that is away has to be back.
PATIENCE = 60

#: Seconds in which what is done later is done. A mail whose sender was killed is taken up by the
#: next one after two minutes.
LATER = 180

#: Longest text and list that are shown whole.
TEXT, LIST = 60, 3

#: Answers that say "not now", after which the same call may be made again.
AWAY = (429, 502, 503, 504)

SECRETS = ("password", "access_token", "refresh_token", "token")


class Unexpected(Exception):
    """The shop did something else than it should; the message says what."""


class DemoClient:
    """Calls the shop at `url`, with the access token once it has one."""

    def __init__(self, url: str, console: Console) -> None:
        self.url = url
        self.token: str | None = None
        self.calls = 0
        self._console = console

    def reach(self) -> None:
        """Unexpected at once when nobody is there at all."""
        try:
            self._ask("GET", "/api/categories?limit=1", None, None)
        except (OSError, http.client.HTTPException) as error:
            raise Unexpected(
                f"no shop answers at {self.url} ({error}); make run starts one"
            ) from None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        expect: int = 200,
        key: str | None = None,
        done: int | None = None,
    ) -> Any:
        """The answer to one call, shown; Unexpected when its status is not `expect`.

        Asked again while the shop is away. Where that may happen twice, `key` makes it one, or
        `done` is the status of a repeat whose first try was carried out but not answered.
        """
        self._show_call(method, path, body)
        status, answer, tries = self._insist(method, path, body, key)
        self._show_answer(status, answer)
        if status != expect and not (tries > 1 and status == done):
            raise Unexpected(f"{method} {path} answered {status} instead of {expect}")
        return answer

    def log_in(self, account: dict[str, str]) -> str | None:
        """An access token for `account`, shown; None where nobody can sign in so."""
        path = "/api/users/login"
        self._show_call("POST", path, account)
        status, answer, _ = self._insist("POST", path, account, None)
        self._show_answer(status, answer)
        return answer["access_token"] if status == 200 else None

    def until(self, path: str, condition: Callable[[Any], Any], what: str) -> Any:
        """Read `path` until `condition` is true of the answer, then show the call and the answer.

        Unexpected when that takes longer than LATER.
        """
        began = remarked = time.monotonic()
        while True:
            status, answer, _ = self._insist("GET", path, None, None)
            if status == 200 and condition(answer):
                break
            if time.monotonic() > began + LATER:
                self._show_call("GET", path, None)
                self._show_answer(status, answer)
                raise Unexpected(f"after {LATER} s still not: {what}")
            if time.monotonic() > remarked + 10:
                remarked = time.monotonic()
                self.remark(f"not yet: {what}")
            time.sleep(0.2)
        self._show_call("GET", path, None)
        self._show_answer(status, answer)
        return answer

    def title(self, text: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/bold]")

    def remark(self, text: str) -> None:
        self._console.print(f"  [dim]{escape(text)}[/dim]", soft_wrap=True)

    def _insist(self, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any, int]:
        """Status, answer and how often it was asked; Unexpected when the shop stays away."""
        until = time.monotonic() + PATIENCE
        for tries in itertools.count(1):
            try:
                status, answer = self._ask(method, path, body, key)
                if status not in AWAY:
                    return status, answer, tries
                trouble = f"{status} {answer.get('detail', '')}"
            except (OSError, http.client.HTTPException) as error:
                trouble = str(error)
            if time.monotonic() > until:
                raise Unexpected(f"{method} {path}: still {trouble} after {PATIENCE} s")
            self.remark(f"{trouble}; trying again")
            time.sleep(1)

    def _ask(self, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310
        request.add_header("Cache-Control", "no-cache")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if key:
            request.add_header("Idempotency-Key", key)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        self.calls += 1
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return response.status, _decoded(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error.read())

    def _show_call(self, method: str, path: str, body: Any) -> None:
        self._console.print(f"[cyan]{method} {escape(path)}[/cyan]")
        if body is not None:
            self._show(body)

    def _show_answer(self, status: int, answer: Any) -> None:
        colour = "green" if status < 400 else "red"
        self._console.print(f"  [{colour}]{status}[/{colour}]")
        if answer is not None:
            self._show(answer)

    def _show(self, value: Any) -> None:
        for line in laid_out(brief(value), max(self._console.width, 100) - 4):
            self._console.print(f"  {escape(line)}", soft_wrap=True)


def brief(value: Any, name: str = "") -> Any:
    """The value as it is shown: secrets cut, long texts and lists shortened."""
    if isinstance(value, dict):
        return {key: brief(item, key) for key, item in value.items()}
    if isinstance(value, list):
        rest = [f"... {len(value) - LIST} more"] if len(value) > LIST else []
        return [brief(item) for item in value[:LIST]] + rest
    if isinstance(value, str) and name in SECRETS:
        return value[:6] + "..."
    if isinstance(value, str) and len(value) > TEXT:
        return value[: TEXT - 3] + "..."
    return value


def laid_out(value: Any, width: int) -> list[str]:
    """Lines of JSON, each as full as it goes; what does not fit into one line is indented."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) <= width or not isinstance(value, dict | list):
        return [whole]
    if isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [(json.dumps(name) + ": ", item) for name, item in value.items()]
    else:
        opening, closing = "[", "]"
        parts = [("", item) for item in value]
    lines: list[str] = []
    for number, (name, item) in enumerate(parts, 1):
        first, *rest = laid_out(item, width - 3 - len(name))
        part = [name + first, *rest]
        part[-1] += "," if number < len(parts) else ""
        short = not rest and lines and lines[-1].endswith(",")
        if short and len(lines[-1]) + len(part[0]) < width - 3:
            lines[-1] += f" {part[0]}"
        else:
            lines += part
    return [opening, *(f"  {line}" for line in lines), closing]


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return {"detail": body[:200].decode(errors="replace")}
