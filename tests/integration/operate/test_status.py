"""`shop status`, `shop outbox`, `shop checkouts`: what stands still is seen, and what to do."""

import contextlib
import uuid

import pytest

from chassis import config as configuration
from shop.packages import DATABASE_PACKAGES
from tests.conftest import empty
from tests.e2e.shop import running_anew
from tests.support import eventually, statements


@pytest.fixture
def rows(config, databases, amqp, monkeypatch):
    """`rows("orders", "INSERT ...", **values)` in databases that hold nothing else."""
    config["DATABASE_URL"] = databases
    monkeypatch.setenv("DATABASE_URL", databases)
    with contextlib.ExitStack() as stack:
        opened = {}
        for package in DATABASE_PACKAGES:
            empty(configuration.database_url(config, package))
            opened[package] = stack.enter_context(statements(config, package))
        yield lambda package, statement, **values: opened[package](statement, **values)


@pytest.fixture
def look(run, monkeypatch):
    """`look()`: what `shop status` finds, but for services, of which none runs: their silence,
    which takes three seconds, is not waited for."""
    monkeypatch.setattr("shop.operate.status.broker.ask", lambda uri, service: "no answer")

    def findings(**environment):
        found = run("status", "--json", code=1, **environment)["findings"]
        return {(one["area"], one["name"]): one for one in found if one["area"] != "service"}

    return findings


def wrong(found):
    return {key for key, one in found.items() if not one["ok"]}


UNSENT = (
    "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at, due_at)"
    " VALUES (gen_random_uuid(), 'orders', 'order_paid', '{}', '{}',"
    " now() - make_interval(secs => :age), now() + make_interval(secs => :due))"
)
CHECKOUT = (
    "INSERT INTO checkouts (order_id, user_id, fingerprint, basket, state, started_at, due_at,"
    " attempts, reason) VALUES (:id, gen_random_uuid(), 'f', '{}', :state,"
    " now() - make_interval(secs => :age), now() + interval '5 s', 3, :reason)"
)
HELD = (
    "INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at) VALUES"
    " (gen_random_uuid(), 'reserved', now() - make_interval(secs => :age), now(), now())"
)


def test_a_shop_that_is_well(run, new_vhost, databases, tmp_path):
    """All services answer, and the status is 0; with one stopped it is 1, and it is named."""
    with running_anew("status", new_vhost, databases, tmp_path) as shop:
        servers = {"AMQP_URI": shop.config["AMQP_URI"], "DATABASE_URL": databases}
        buyer = shop.customer()
        shop.pay(buyer, shop.order(buyer, shop.product()))
        eventually(lambda: "all is well" in run("status", **servers), timeout=20)
        found = run("status", "--json")
        assert found["ok"]
        assert {one["area"] for one in found["findings"]} == {
            "server", "service", "dead letters", "database", "outbox", "work",
        }  # fmt: skip
        (last,) = [one for one in run("outbox", "--json") if one["service"] == "orders"]
        assert (last["unsent"], last["last_sent_seconds"] < 60) == (0, True)
        assert "0 checkouts under way, 0 stuck" in run("checkouts")


def test_nothing_runs(run, rows):
    """Servers and rows are well where no service answers."""
    services = [
        one for one in run("status", "--json", code=1)["findings"] if one["area"] == "service"
    ]
    assert {one["name"] for one in services} >= {"gateway", "carts", "inventory", "users"}
    assert not any(one["ok"] for one in services)
    assert "8 things to look at" in run("status", code=1)


def test_unsent_events(run, rows, look):
    """One that waits for a moment is well, for minutes is not."""
    rows("orders", UNSENT, age=2, due=0)
    assert wrong(look()) == set()
    assert {one["service"]: one["unsent"] for one in run("outbox", "--json")}["orders"] == 1
    rows("orders", UNSENT, age=300, due=0)
    assert wrong(look()) == {("outbox", "orders")}
    rows("orders", UNSENT, age=300, due=5)
    assert "refuses" in look()["outbox", "orders"]["advice"]
    told = {one["service"]: one for one in run("outbox", "--json", code=1)}
    assert (told["orders"]["unsent"], told["orders"]["refused"]) == (3, 1)
    assert 299 < told["orders"]["oldest_seconds"] < 400
    assert told["payments"]["last_sent"] is None
    assert "never" in run("outbox", code=1)


def test_checkouts(run, rows, look):
    """Those that take three times as long as they may are stuck; their reason is told."""
    stuck, fresh = uuid.uuid4(), uuid.uuid4()
    rows("orders", CHECKOUT, id=fresh, state="open", age=5, reason=None)
    assert wrong(look()) == set()
    rows("orders", CHECKOUT, id=stuck, state="undoing", age=600, reason="service_unavailable")
    assert wrong(look()) == {("work", "checkouts")}
    told = run("checkouts", "--json", code=1)
    assert [one["order_id"] for one in told["checkouts"]] == [str(stuck), str(fresh)]
    assert (told["under_way"], told["stuck"]) == (2, 1)
    first = told["checkouts"][0]
    assert (first["attempts"], first["reason"]) == (3, "service_unavailable")
    assert "user" not in str(told)
    shown = run("checkouts", "--state", "open", code=1)
    assert str(fresh) in shown
    assert str(stuck) not in shown
    assert len(run("checkouts", "--limit", "1", "--json", code=1)["checkouts"]) == 1


def test_expired_reservations(rows, look):
    """Stock that is held past its time, and that the timer has not freed for a minute."""
    rows("products", HELD, age=5)
    assert wrong(look()) == set()
    rows("products", HELD, age=300)
    assert wrong(look()) == {("work", "reservations")}


def test_dead_letters(rows, look, channel):
    """One is enough."""
    channel.confirm_delivery()
    channel.basic_publish("", "orders.dead-letters", b"{}")
    found = look()
    assert wrong(found) == {("dead letters", "orders.dead-letters")}
    assert found["dead letters", "orders.dead-letters"]["found"] == "1 letter"


def test_migrations(rows, look):
    """Behind the code, and ahead of it."""
    (row,) = rows("payments", "SELECT version_num FROM alembic_version")
    try:
        rows("payments", "UPDATE alembic_version SET version_num = '0001'")
        assert look()["database", "payments"]["advice"] == "shop migrate"
        rows("payments", "UPDATE alembic_version SET version_num = '9999'")
        assert "newer" in look()["database", "payments"]["advice"]
    finally:
        rows("payments", "UPDATE alembic_version SET version_num = :v", v=row["version_num"])


def test_without_servers(run, look, nowhere, databases, monkeypatch, one_line):
    """Each is a finding of its own, and the other one is still told; a password never is."""
    monkeypatch.setenv("DATABASE_URL", databases)
    found = look(AMQP_URI=nowhere.amqp)
    assert wrong(found) == {("server", "RabbitMQ")}
    assert "hunter2" not in str(found)
    found = look(DATABASE_URL=nowhere.database)
    assert wrong(found) >= {("database", "users"), ("database", "orders")}
    assert "hunter2" not in str(found)
    for command in ("outbox", "checkouts"):
        told = run(command, code=2)
        assert one_line(told), told
        assert "hunter2" not in told


@pytest.mark.parametrize(
    "settings",
    [
        {"AMQP_URI": "hunter2"},
        {"DATABASE_URL": "hunter2"},
        {"DATABASE_URL": "mysql://root:hunter2@h/x"},
        {"ORDERS_DATABASE_URL": "hunter2"},
    ],
)
def test_wrong_settings(run, databases, monkeypatch, one_line, settings):
    """One line, and nothing of what may be a secret."""
    monkeypatch.setenv("DATABASE_URL", databases)
    told = run("status", code=2, **settings)
    assert one_line(told), told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "arguments", [("checkouts", "--state", "lost"), ("checkouts", "--limit", "0"), ("outbox", "x")]
)
def test_wrong_arguments(run, arguments):
    """They are named."""
    assert "Error: " in run(*arguments, code=2)
