"""Where a request comes from, as far as it is kept: too little to follow anybody.

Of requests of staff it travels beside the request's id, so that each service can say where they
were when they did something.
"""

import ipaddress
from typing import Any

from nameko.extensions import DependencyProvider

#: Its key in a worker's context data.
NETWORK = "network"

#: Of an address, the bits that are kept: an IPv4 address and an IPv6 site lose their last part.
_KEPT = {4: 24, 6: 48}


def abbreviated(network: str | None) -> str | None:
    """An address, or a network, without its last part: "203.0.113.0/24"; None for what is none."""
    try:
        address = ipaddress.ip_address((network or "").partition("/")[0])
    except ValueError:
        return None
    return str(ipaddress.ip_network((address, _KEPT[address.version]), strict=False))


class Network(DependencyProvider):
    """Injects the abbreviated network that a request of staff comes from; None where nobody knows,
    and for everybody else."""

    def get_dependency(self, worker_ctx: Any) -> str | None:
        network = worker_ctx.data.get(NETWORK)
        return abbreviated(network) if isinstance(network, str) else None
