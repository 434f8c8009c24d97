"""The client of a request, as far as the network shows it.

A client can write any `X-Forwarded-For` it likes; only what our own proxies added to its end is
true. How many those are is the setting `web.trusted_proxies`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

#: One customer's IPv6 network; its owner has all its addresses.
_IPV6_NETWORK = 64


def client_address(peer: str, headers: Mapping[str, str], trusted_proxies: int) -> str:
    """The client's address: that of the connection, or with n trusted proxies the n-th from the
    end of `X-Forwarded-For`.

    Where the header is shorter, or not of addresses, the farthest that is known for sure counts.
    """
    address = _parsed(peer) or "unknown"
    forwarded = headers.get("x-forwarded-for", "").split(",") if trusted_proxies else []
    for item in reversed(forwarded[-trusted_proxies:]):
        hop = _parsed(item)
        if hop is None:
            break
        address = hop
    return address


def client_network(address: str) -> str:
    """What an address counts as when clients are counted: itself, or its IPv6 network."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))


def _parsed(text: str) -> str | None:
    """An address in its one form, without port and zone; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
