"""How often a gateway asks whether a session goes on, and what holds while it cannot ask."""

import eventlet
import pytest

from gateway.service import GatewayService
from orders.service import CartsService
from products.service import ProductsService
from tests.e2e.client import PASSWORD, Client, new_email
from users.service import UsersService


@pytest.fixture
def small(start, config):
    """Users, products, carts and a gateway, of which a test may stop some: `small(client)`."""
    containers = start(UsersService, ProductsService, CartsService, GatewayService)
    client = Client(f"http://{config['WEB_SERVER_ADDRESS']}")
    email = new_email()
    client.post("/api/users/signup", {"email": email, "password": PASSWORD}, 201)
    client.log_in(email)
    return client, containers[0]


def test_one_question_is_enough_for_seconds(small, monkeypatch):
    """However much a customer writes, and however much of it at once."""
    client, users = small
    asked = []
    run = users.spawn_worker

    def count(entrypoint, *args, **kwargs):
        asked.append(entrypoint.method_name)
        return run(entrypoint, *args, **kwargs)

    monkeypatch.setattr(users, "spawn_worker", count)
    clients = [Client(client.url, client.token) for _ in range(8)]
    for thread in [eventlet.spawn(one.delete, "/api/carts", None) for one in clients * 3]:
        thread.wait()
    assert asked.count("check_session") == 1


def test_while_users_is_away(small, clock):
    """Who wrote a moment ago goes on for a minute; then it is 503, not a guess. Reads go on."""
    client, users = small
    client.delete("/api/carts", None)
    users.stop()
    clock.advance(seconds=30)
    client.delete("/api/carts", None)
    assert client.answer.status_code < 300
    clock.advance(seconds=31)
    client.delete("/api/carts", 503)
    assert "Retry-After" in client.answer.headers
    client.get("/api/carts")
