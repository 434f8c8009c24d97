"""Names of hosts are looked up without holding anybody up."""

import socket

import eventlet
import pytest

from shop.local import resolver


@pytest.fixture
def asked(monkeypatch):
    """Who was looked up, and whether in a thread of its own."""
    asked = []
    here, look_up = eventlet.patcher.original("threading").get_ident(), resolver._look_up

    def watched(host, *args):
        asked.append((host, eventlet.patcher.original("threading").get_ident() != here))
        return look_up(host, *args)

    monkeypatch.setattr(resolver, "_look_up", watched)
    return asked


def test_an_address_needs_no_thread(asked):
    """There is nothing to look up."""
    found = resolver.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    assert found[0][4] == ("127.0.0.1", 80)
    assert asked == [("127.0.0.1", False)]


def test_a_name_is_looked_up_in_a_thread(asked):
    """The C library blocks whoever asks it."""
    assert resolver.getaddrinfo("localhost", 80)[0][4][1] == 80
    assert asked[-1] == ("localhost", True)


def test_a_name_that_nobody_has_is_an_error_as_ever(asked):
    """Callers expect `socket.gaierror`."""
    with pytest.raises(socket.gaierror):
        resolver.getaddrinfo("nobody.invalid", 80)
