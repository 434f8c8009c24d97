"""Buyers, with tokens that the shop gave them: the same at every contender."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.traffic import Request, ask
from shop import mails
from shop.local.server import LocalError

_PASSWORD = "a bench needs no secrets"  # noqa: S105
ADDRESS = {
    "line1": "1 Long Bench",
    "city": "Bremen",
    "postal_code": "28195",
    "country": "DE",
}


@dataclass(frozen=True)
class Buyer:
    """A customer who has signed in."""

    token: str
    address: dict[str, str]


#: Seconds for the mails that have the addresses confirmed.
_PATIENCE = 60


def sign_up(port: int, count: int, outbox: Path) -> list[Buyer]:
    """That many new customers of the shop that answers there, who get its mails; those are files in
    `outbox`."""

    def one(_: int) -> Buyer:
        account = {"email": f"{uuid.uuid4().hex}@example.com", "password": _PASSWORD}
        status, _ = ask(port, Request("/api/users/signup", "POST", account))
        if status != 201:
            raise LocalError(f"the shop signs nobody up: {status}")
        _, tokens = ask(port, Request("/api/users/login", "POST", account))
        return Buyer(tokens["access_token"], ADDRESS)

    with ThreadPoolExecutor(4) as pool:
        buyers = list(pool.map(one, range(count)))
        list(pool.map(lambda buyer: _confirm(port, buyer, outbox), buyers))
    return buyers


def _confirm(port: int, buyer: Buyer, outbox: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        _, feed = ask(port, Request("/api/notifications", token=buyer.token))
        mail_id = mails.confirmation(feed["items"])
        token = mail_id and mails.token(outbox, mail_id)
        if token:
            ask(port, Request("/api/users/email/verify", "POST", {"token": token}))
            return
        time.sleep(0.2)
    raise LocalError(f"no mail with a token in {outbox}")
