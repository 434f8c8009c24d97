"""Where a request comes from."""

import pytest

from chassis.web.client_ip import client_address, client_network


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("192.0.2.1", None, 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "6.6.6.6, 198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "6.6.6.6, 198.51.100.7,203.0.113.9", 2, "198.51.100.7"),
        ("192.0.2.1", "203.0.113.9", 2, "203.0.113.9"),
        ("192.0.2.1", "6.6.6.6, forged, 203.0.113.9", 2, "203.0.113.9"),
        ("192.0.2.1", "", 1, "192.0.2.1"),
        ("192.0.2.1", "unknown", 1, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7:4711", 1, "198.51.100.7"),
        ("192.0.2.1", "[2001:DB8::1]:4711", 1, "2001:db8::1"),
        ("::ffff:192.0.2.1", None, 0, "192.0.2.1"),
        ("fe80::1%eth0", None, 0, "fe80::1"),
        ("", None, 0, "unknown"),
    ],
)
def test_only_what_our_proxies_added_is_believed(peer, forwarded, trusted, address):
    """Counted from the end of the header; whatever a client wrote before it has no effect."""
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert client_address(peer, headers, trusted) == address


def test_an_ipv6_network_counts_as_one_client():
    """Whoever has one of its addresses has all of them."""
    assert client_network("2001:db8::1") == client_network("2001:db8::ffff") == "2001:db8::/64"
    assert client_network("192.0.2.1") == "192.0.2.1"
