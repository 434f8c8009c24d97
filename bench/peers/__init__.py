"""What people would pick instead of this shop: how to start each of the programs beside this file.

Every peer is three processes, gateway, products and orders, with the same HTTP outside and the
same databases behind; README.md says what else is the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A contender; its commands run in `folder`, which is relative to the root of the repository.

    In `commands`, (process, argv), `{python}` stands for the interpreter of the peers' own virtual
    environment and `{NAME}` for a variable of the environment that the processes are given.
    """

    title: str
    language: str
    folder: str
    commands: tuple[tuple[str, tuple[str, ...]], ...]

    def argvs(self, python: str, environment: Mapping[str, str]) -> dict[str, list[str]]:
        """The command lines by process."""
        values = {**environment, "python": python}
        return {
            process: [part.format_map(values) for part in argv] for process, argv in self.commands
        }


def _uvicorn(module: str, port: str) -> tuple[str, ...]:
    return (
        "{python}", "-m", "uvicorn", f"bench.peers.{module}:app",
        "--host", "127.0.0.1", "--port", port, "--no-access-log", "--log-level", "warning",
    )  # fmt: skip


def _fastapi(folder: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("products", _uvicorn(f"{folder}.products", "{PRODUCTS_PORT}")),
        ("orders", _uvicorn(f"{folder}.orders", "{ORDERS_PORT}")),
        ("gateway", _uvicorn("fastapi_httpx.gateway", "{HTTP_PORT}")),
    )


def _nameko(process: str) -> tuple[str, ...]:
    config = "bench/peers/stock_nameko/config.yaml"
    module = f"bench.peers.stock_nameko.{process}"
    return ("{python}", "-m", "nameko", "run", "--config", config, module)


def _faststream(process: str) -> tuple[str, ...]:
    app = f"bench.peers.faststream.{process}:app"
    return ("{python}", "-m", "faststream", "run", app)


def _gunicorn(process: str, port: str) -> tuple[str, ...]:
    return (
        "{python}", "-m", "gunicorn", f"bench.peers.django_rest.{process}.wsgi:application",
        "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "16",
        "--no-control-socket",
    )  # fmt: skip


PEERS = {
    "stock_nameko": Peer(
        "Nameko 2.14.1",
        "Python",
        ".",
        tuple((process, _nameko(process)) for process in ("products", "orders", "gateway")),
    ),
    "fastapi_httpx": Peer("FastAPI + httpx", "Python", ".", _fastapi("fastapi_httpx")),
    "fastapi_lean": Peer("lean FastAPI + httpx", "Python", ".", _fastapi("fastapi_lean")),
    "faststream": Peer(
        "FastStream",
        "Python",
        ".",
        (
            ("products", _faststream("products")),
            ("orders", _faststream("orders")),
            ("gateway", _uvicorn("faststream.gateway", "{HTTP_PORT}")),
        ),
    ),
    "django_rest": Peer(
        "Django REST framework",
        "Python",
        ".",
        (
            ("products", _gunicorn("products", "{PRODUCTS_PORT}")),
            ("orders", _gunicorn("orders", "{ORDERS_PORT}")),
            ("gateway", _gunicorn("gateway", "{HTTP_PORT}")),
        ),
    ),
    "moleculer": Peer(
        "Moleculer",
        "JavaScript",
        "bench/peers/moleculer",
        tuple(
            (
                process,
                (
                    "node", "node_modules/moleculer/bin/moleculer-runner.js",
                    "--config", "moleculer.config.js", f"services/{process}.service.js",
                ),
            )
            for process in ("products", "orders", "gateway")
        ),
    ),
}  # fmt: skip
