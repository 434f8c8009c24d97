"""Calls a service and does nothing else, from as many greenthreads as a gateway would:
`python -m bench.caller chassis probe`, or `nameko products` for stock Nameko's own client.

Prints `{"rate"}`, answers a second; every answer is looked at.
"""

import eventlet

eventlet.monkey_patch()

import itertools  # noqa: E402  (monkey patching comes first)
import json  # noqa: E402
import time  # noqa: E402
from importlib import import_module  # noqa: E402

import click  # noqa: E402
from nameko.testing.services import dummy, entrypoint_hook  # noqa: E402

#: Modules with the `RpcProxy` and with the `ServiceContainer` of each.
_WAYS = {
    "chassis": ("chassis.rpc", "chassis.container"),
    "nameko": ("nameko.rpc", "nameko.containers"),
}
_WARM = 0.5


@click.command()
@click.argument("way", type=click.Choice(_WAYS))
@click.argument("service")
@click.option("--uri", required=True)
@click.option("--seconds", default=3.0, show_default=True)
@click.option("--in-flight", default=16, show_default=True, help="Calls under way at once.")
def main(way: str, service: str, uri: str, seconds: float, in_flight: int) -> None:
    """Measure calls of `ping` by the client of this way."""
    proxies, containers = map(import_module, _WAYS[way])
    numbers = itertools.count()

    class Caller:
        name = "caller"
        target = proxies.RpcProxy(service)

        @dummy
        def call(self, begins: float, ends: float) -> int:
            """Calls that came back in between."""
            count = 0
            while (now := time.monotonic()) < ends:
                n = next(numbers)
                if self.target.ping(n=n) not in (n, {"n": n}):
                    raise ValueError("the answer to another call")
                count += now >= begins
            return count

    config = {"AMQP_URI": uri, "max_workers": 2 * in_flight}
    container = containers.ServiceContainer(Caller, config)
    container.start()
    begins = time.monotonic() + _WARM
    with entrypoint_hook(container, "call") as call:
        threads = [eventlet.spawn(call, begins, begins + seconds) for _ in range(in_flight)]
        count = sum(thread.wait() for thread in threads)
    click.echo(json.dumps({"rate": count / seconds}))
    container.kill()


if __name__ == "__main__":
    main()
