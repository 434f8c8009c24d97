"""RabbitMQ's management API."""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests

from shop.options import CannotTell

#: Seconds for one answer.
_PATIENCE = 20


def vhost_of(amqp_uri: str) -> str:
    """The vhost that an address of the broker names; without a name it is RabbitMQ's own."""
    return unquote(urlsplit(amqp_uri).path[1:]) or "/"


class Management:
    """Requests about one vhost of the node at `api`, an address with an administrator's name and
    password; what goes wrong is `CannotTell`."""

    def __init__(self, api: str, vhost: str):
        self._api = api.rstrip("/") + "/api"
        self.vhost = vhost
        self._session = requests.Session()

    @property
    def version(self) -> tuple[int, ...]:
        """Of RabbitMQ, e.g. (4, 0, 9)."""
        told = self.get("overview")["rabbitmq_version"]
        return tuple(int(number) for number in told.partition("-")[0].split(".")[:3])

    def get(self, *path: str) -> Any:
        """What lies there; None when nothing does."""
        return self._ask("GET", path)

    def put(self, *path: str, **body: Any) -> None:
        """Make it, or make it anew."""
        self._ask("PUT", path, body)

    def _ask(self, method: str, path: tuple[str, ...], body: Any = None) -> Any:
        url = "/".join([self._api, *(quote(part, safe="") for part in path)])
        try:
            answer = self._session.request(method, url, json=body, timeout=_PATIENCE)
        except (requests.RequestException, ValueError) as error:
            # Its text may hold the address, and that the password.
            raise CannotTell(
                "RabbitMQ's management API does not answer", type(error).__name__
            ) from None
        if answer.status_code == 404:
            return None
        if not answer.ok:
            reason = f"{method} {'/'.join(path)}: {answer.status_code} {answer.reason}"
            raise CannotTell("RabbitMQ's management API refuses", reason)
        return answer.json() if answer.content else None
