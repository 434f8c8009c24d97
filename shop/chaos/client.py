"""A client of the shop as a careful one is: it repeats what got no answer, under the same key."""

import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import requests

from shop import mails
from shop.chaos.journal import Journal

#: What means "not now": the outcome is unknown, or nothing was done.
AWAY = (429, 502, 503, 504)
#: Seconds for one try, and between two.
PATIENCE, PAUSE = 20, 0.1

_LOGIN, _CONFIRM = "/api/users/login", "/api/users/email/verify"


class Answer(NamedTuple):
    """A status and the JSON; status None when the client gave up without knowing."""

    status: int | None
    body: Any


class Client:
    """Calls the shop, from several threads if need be."""

    def __init__(self, url: str, journal: Journal, ends: threading.Event):
        """`ends`: from then on nobody insists any more."""
        self.url = url
        self.token: str | None = None
        self._credentials: dict[str, str] = {}
        self._journal = journal
        self._ends = ends
        self._local = threading.local()

    def sign_up(self, email: str, password: str) -> None:
        """Make an account, if it is not there, and log in."""
        account = {"email": email, "password": password}
        self.call("POST", "/api/users/signup", account, known=(201, 409))
        self.log_in(email, password)

    def confirm(self, outbox: Path) -> None:
        """Confirm the address with the token of the mail, which may take as long as a shop that
        stands; without it there are no mails about orders."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self._ends.is_set():
            feed = self.call("GET", "/api/notifications", tries=3).body or {"items": []}
            mail_id = mails.confirmation(feed["items"])
            token = mail_id and mails.token(outbox, mail_id)
            if token:
                self.call("POST", _CONFIRM, {"token": token}, known=(204, 422))
                return
            time.sleep(PAUSE)

    def log_in(self, email: str, password: str) -> bool:
        """Get an access token, and a new one whenever it has expired; whoever else uses the old
        one goes on with it meanwhile. False when there was no answer."""
        self._credentials = {"email": email, "password": password}
        answer = self.call("POST", _LOGIN, self._credentials)
        if answer.status == 200:
            self.token = answer.body["access_token"]
        return answer.status == 200

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        known: tuple[int, ...] = (200,),
        key: str | None = None,
        tries: int | None = None,
    ) -> Answer:
        """The first answer that is one. After so many `tries` (None: as long as the run lasts and a
        while after), it gives up. A status that is not `known` is a surprise."""
        while True:
            status, answer = self._try(method, path, body, key)
            self._journal.note_answer(status)
            has_expired = status == 401 and self.token and path != _LOGIN
            if has_expired and self.log_in(**self._credentials):
                continue
            if status is not None and status not in AWAY:
                if status not in known:
                    code = answer.get("code") if isinstance(answer, dict) else None
                    self._journal.surprise(f"{method} {path} answered {status} {code}")
                return Answer(status, answer)
            tries = None if tries is None else tries - 1
            if tries == 0 or self._ends.is_set():
                return Answer(None, None)
            time.sleep(PAUSE + random.random() * PAUSE)  # noqa: S311

    def _try(self, method: str, path: str, body: Any, key: str | None) -> tuple[int | None, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key:
            headers["Idempotency-Key"] = key
        try:
            answer = self._session.request(
                method, self.url + path, json=body, headers=headers, timeout=PATIENCE
            )
            return answer.status_code, answer.json() if answer.content else None
        except (requests.RequestException, ValueError):
            return None, None

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session


def new_key() -> str:
    """An idempotency key."""
    return uuid.uuid4().hex
