"""What the door says when something behind it is missing, slow or about to stop."""

import time

import eventlet
import pytest
from nameko.rpc import rpc

from gateway.service import GatewayService
from notifications.service import NotificationsService
from products.service import InventoryService, ProductsService
from tests.e2e.client import PASSWORD, Client, new_email
from users.service import UsersService


@pytest.fixture
def door(config):
    """A client of the gateway that the test starts."""
    return Client(f"http://{config['WEB_SERVER_ADDRESS']}")


def sign_up_and_in(client):
    email = new_email()
    client.post("/api/users/signup", {"email": email, "password": PASSWORD}, 201)
    client.log_in(email)


def test_a_service_that_is_down_is_a_503_in_time(start, door):
    """With `Retry-After`, within the deadline; what does not need it still works."""
    products, *_ = start(ProductsService, UsersService, GatewayService)
    sign_up_and_in(door)
    door.get("/api/products")
    products.stop()
    began = time.monotonic()
    now = {"Cache-Control": "no-cache"}
    assert door.get("/api/products", 503, headers=now)["code"] == "service_unavailable"
    assert int(door.answer.headers["Retry-After"]) >= 1
    assert time.monotonic() - began < 10
    door.get("/api/users/profile")
    start(ProductsService)
    door.get("/api/products")


def test_the_health_of_an_absent_service_is_told_soon(start, door):
    """Whether it was ever there or not: who asks wants to know now."""
    start(UsersService, GatewayService)
    assert door.get("/api/users/health") == {"service": "users", "status": "ok"}
    began = time.monotonic()
    assert door.get("/api/payments/health", 503)["code"] == "service_unavailable"
    assert time.monotonic() - began < 4


def test_without_users_nobody_is_known(start, door):
    """A token cannot be checked without its key: 503, not 401, so that nobody logs out."""
    start(GatewayService)
    token = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImEifQ.e30.c2ln"
    door.token = token
    problem = door.get("/api/carts", 503)
    assert problem["code"] in ("service_unavailable", "unavailable")


def test_tokens_are_checked_without_users_once_the_keys_are_known(start, door):
    """The keys are fetched once; then every service may be away but the one that is needed."""
    users, *_ = start(UsersService, NotificationsService, GatewayService)
    sign_up_and_in(door)
    door.get("/api/notifications")
    users.stop()
    door.get("/api/notifications")


def test_readiness_names_what_is_missing(start, door):
    """503 with the list until all are there; the process itself lives all the time."""
    start(UsersService, GatewayService)
    door.get("/livez")
    began = time.monotonic()
    problem = door.get("/readyz", 503)
    assert time.monotonic() - began < 10
    assert (problem["checks"]["broker"], problem["checks"]["users"]) == ("ok", "ok")
    assert problem["checks"]["orders"] == "service_unavailable"


def test_a_gateway_that_is_told_to_stop_says_so_first(start, door, eventually):
    """`/readyz` is 503 while requests are still served, so that a balancer looks elsewhere."""
    from tests.e2e.shop import SERVICES

    *_, gateway = start(*SERVICES, web={"stop_delay_seconds": 1.5})
    door.get("/readyz")
    stopping = eventlet.spawn(gateway.stop)
    eventually(lambda: next(iter(gateway.entrypoints)).server.is_stopping)
    assert door.get("/readyz", 503)["checks"]["gateway"] == "stopping"
    door.get("/api/products")
    stopping.wait()


def test_a_service_that_does_not_answer_is_a_504(start, door):
    """When it is there but slow, the budget of the request ends the wait."""

    class SlowProducts:
        name = "products"

        @rpc
        def list(self, **filters):
            eventlet.sleep(10)

    start(SlowProducts, GatewayService, web={"request_seconds": 0.5})
    began = time.monotonic()
    assert door.get("/api/products", 504)["code"] == "deadline_exceeded"
    assert time.monotonic() - began < 7


def test_a_slow_service_does_not_slow_the_others(start, door, eventually):
    """Thirty waiting requests, and a trivial one is answered at once."""
    let_go, begun = eventlet.Event(), []

    class SlowProducts:
        name = "products"

        @rpc
        def list(self, **filters):
            begun.append(filters)
            let_go.wait()
            return {"items": [], "next": None}

    start(SlowProducts, InventoryService, GatewayService, max_workers=30)
    slow = [eventlet.spawn(Client(door.url).get, "/api/products") for _ in range(30)]
    eventually(lambda: begun)
    door.get("/api/inventory/health")
    assert not any(waiting.dead for waiting in slow)
    let_go.send()
    for waiting in slow:
        waiting.wait()


def test_an_expired_token_is_a_401(start, door, clock):
    """Its time is the clock's, and logging in again helps."""
    start(UsersService, GatewayService)
    sign_up_and_in(door)
    email = door.get("/api/users/profile")["email"]
    clock.advance(minutes=16)
    assert door.get("/api/users/profile", 401)["code"] == "token_expired"
    door.log_in(email)
    door.get("/api/users/profile")


def test_the_request_id_reaches_the_services(start, door):
    """Their context data have it, and with it their log lines."""
    seen = []

    class Watching:
        name = "products"

        @rpc
        def list(self, **filters):
            return {"items": [], "next": None}

    (products, _) = start(Watching, GatewayService)
    run = products.spawn_worker

    def watch(entrypoint, args, kwargs, context_data=None, **rest):
        seen.append(context_data)
        return run(entrypoint, args, kwargs, context_data=context_data, **rest)

    products.spawn_worker = watch
    door.get("/api/products", headers={"X-Request-ID": "my-request-1"})
    assert door.answer.headers["X-Request-ID"] == "my-request-1"
    assert seen[0]["request_id"] == "my-request-1"
    assert seen[0]["traceparent"].startswith("00-")
    assert 0 < seen[0]["timeout_ms"] <= 15_000
