"""Buyers, with tokens that the shop gave them: the same at every contender."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.traffic import Request, ask
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


def sign_up(port: int, count: int) -> list[Buyer]:
    """That many new customers of the shop that answers there."""

    def one(_: int) -> Buyer:
        account = {"email": f"{uuid.uuid4().hex}@example.com", "password": _PASSWORD}
        status, _ = ask(port, Request("/api/users/signup", "POST", account))
        if status != 201:
            raise LocalError(f"the shop signs nobody up: {status}")
        _, tokens = ask(port, Request("/api/users/login", "POST", account))
        return Buyer(tokens["access_token"], ADDRESS)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(count)))
