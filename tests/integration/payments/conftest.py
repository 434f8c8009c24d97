"""Fixtures for the tests of `payments`."""

import uuid

import eventlet
import pytest

from payments.providers.simulator import Simulator
from payments.service import PaymentsService
from tests import support
from tests.support import eventually

STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
def service(start, clock):
    """The running service's container, on a clock that tests can put forward."""
    (container,) = start(PaymentsService)
    return container


@pytest.fixture
def payments(service, call):
    """`payments.charge(...)`: RPC to the running service."""
    return call.payments


@pytest.fixture
def order():
    """What orders sends with every charge of one order, the key and the method apart."""
    return {
        "order_id": str(uuid.uuid4()),
        "order_number": "S-102-748-399",
        "user_id": str(uuid.uuid4()),
        "amount": "100.00",
        "currency": "EUR",
    }


@pytest.fixture
def pay(payments, order):
    """`pay()`, `pay("tok_declined", key="2")`: charge the order."""

    def charge(token="tok_visa", key="1", **changes):
        method = {"type": "card", "token": token}
        return payments.charge(**{**order, "method": method, "key": key} | changes)

    return charge


@pytest.fixture
def status(payments, order):
    """`status()`: the states of the order's payments, newest first."""
    return lambda: [p["status"] for p in payments.list(order_id=order["order_id"])["items"]]


@pytest.fixture
def sql(service, config):
    """`sql("SELECT ...", name=value)`: rows of the payments database, as dicts."""
    with support.statements(config, "payments") as run:
        yield run


@pytest.fixture
def told(sql):
    """`told()`: what the service has told the world: (type, payload) in order."""
    return lambda: [
        (row["type"], row["payload"]) for row in sql("SELECT type, payload FROM outbox ORDER BY id")
    ]


@pytest.fixture
def adds_up(sql):
    """`adds_up()`: the ledger, the totals and the provider's own books agree; never more given
    back than taken. Run at the end of every test, once what is under way has arrived."""

    def check():
        wrong = sql(
            """
            SELECT p.id FROM payments p
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
                       coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
                FROM ledger_entries WHERE payment_id = p.id
            ) l ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount), 0) AS refunding
                FROM refunds WHERE payment_id = p.id AND status = 'pending'
            ) r ON true
            LEFT JOIN simulator_charges s ON s.reference = p.provider_reference
            WHERE (p.captured, p.refunded, p.refunding)
                    <> (l.captured, l.refunded, r.refunding)
               OR p.refunded > p.captured
               OR (p.captured > 0 AND (s.captured <> p.captured OR s.refunded <> p.refunded
                                       OR s.status IS DISTINCT FROM 'succeeded'))
            """
        )
        assert wrong == []
        return True

    yield check
    eventually(check)


@pytest.fixture(autouse=True)
def _always_adds_up(adds_up):
    """Whatever a test does, the books agree after it."""


@pytest.fixture
def crash_before(monkeypatch):
    """`crash_before(module, name)`: the next call of that function ends the work."""

    def arm(owner, name):
        real = getattr(owner, name)

        def crash(*args, **kwargs):
            monkeypatch.setattr(owner, name, real)
            raise Crash

        monkeypatch.setattr(owner, name, crash)

    return arm


@pytest.fixture
def slow_provider(monkeypatch):
    """A provider that takes the charge only once `let_go` is sent; the caller hangs meanwhile."""
    let_go, real = eventlet.event.Event(), Simulator.create

    def create(self, order, note):
        monkeypatch.setattr(Simulator, "create", real)
        let_go.wait()
        return real(self, order, note)

    monkeypatch.setattr(Simulator, "create", create)
    return let_go
