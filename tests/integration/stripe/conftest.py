"""Fixtures for the tests of the Stripe provider: the payments service, with `localstripe`.

localstripe (GPL-3) is only ever started as a process of its own; nothing here imports it.
"""

import subprocess
import sys
import uuid

import eventlet
import pytest
import requests
from nameko.testing.utils import find_free_port

from payments.providers.stripe import Stripe
from payments.service import PaymentsService
from payments.settings import StripeSettings
from tests import support
from tests.integration.stripe import checks
from tests.integration.stripe.additions import API_KEY
from tests.integration.stripe.door import Door
from tests.support import eventually as await_

SECRETS = ("whsec_new_4eC39HqLyjWD", "whsec_old_9TqLsb7zKbYa")


@pytest.fixture(scope="session")
def localstripe():
    """The address of a running localstripe."""
    process, url = _start_localstripe()

    def answers():
        nonlocal process, url
        if process.poll() is not None:  # somebody else had taken the port meanwhile
            process, url = _start_localstripe()
        try:
            return requests.delete(f"{url}/_config/data", timeout=5).ok
        except requests.ConnectionError:
            return False

    await_(answers, timeout=60, every=0.2)
    yield url
    process.terminate()
    process.wait()


def _start_localstripe():
    port = find_free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, f"http://127.0.0.1:{port}"


@pytest.fixture
def door(localstripe):
    """The way to Stripe, whose books are empty; `door.stripe` is what the buyer and bank do."""
    requests.delete(f"{localstripe}/_config/data", timeout=5)
    door = Door(localstripe)
    yield door
    door.shut()


@pytest.fixture
def stripe(door):
    """What the buyer and the bank do, and Stripe's books."""
    return door.stripe


@pytest.fixture
def call_seconds():
    """How long the service waits for Stripe; modules where it waits in vain have less."""
    return 10


@pytest.fixture
def settings(door):
    """The section `payments.stripe`."""
    return {"api_key": API_KEY, "api_base": door.url, "webhook_secrets": ",".join(SECRETS)}


@pytest.fixture
def provider(settings, clock):
    """The provider alone."""
    return Stripe(StripeSettings().load(settings), 10, clock)


@pytest.fixture
def service(start, config, settings, call_seconds, clock):
    """The running service, on a clock that tests can put forward."""
    payments = config["payments"] | {
        "call_seconds": call_seconds,
        "provider": "stripe",
        "stripe": settings,
    }
    (container,) = start(PaymentsService, payments=payments)
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
        "user_id": str(uuid.uuid4()),
        "amount": "100.00",
        "currency": "EUR",
    }


@pytest.fixture
def pay(payments, order, stripe):
    """`pay()`, `pay(token, key="2")`: charge the order."""

    def charge(token=None, key="1", **changes):
        method = {"type": "card", "token": token or stripe.card()}
        return payments.charge(**{**order, "method": method, "key": key} | changes)

    return charge


@pytest.fixture
def refund(payments):
    """`refund(payment, "10.00", key="1")`: as staff."""
    actor = {"user_id": str(uuid.uuid4()), "role": "staff"}

    def give_back(payment, amount=None, key="1"):
        return payments.refund(
            payment_id=payment["id"], amount=amount, reason="damaged", key=key, actor=actor
        )

    return give_back


@pytest.fixture
def now_is(payments, eventually):
    """`now_is(payment, "succeeded")`: waits for that state; the payment."""

    def wait(payment, status):
        def there():
            found = payments.get(payment_id=payment["id"])
            return found if found["status"] == status else None

        return eventually(there, timeout=20)

    return wait


@pytest.fixture
def sql(service, config):
    """`sql("SELECT ...", name=value)`: rows of the payments database, as dicts."""
    with support.statements(config, "payments") as run:
        yield run


@pytest.fixture
def reference(sql):
    """`reference(payment)`: what Stripe calls it."""

    def read(payment):
        (row,) = sql("SELECT provider_reference FROM payments WHERE id = :id", id=payment["id"])
        return row["provider_reference"]

    return read


@pytest.fixture
def everything_stored(sql):
    """`everything_stored()`: all tables of the payments database, as text."""

    def read():
        tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return "".join(str(sql(f"SELECT * FROM {table['tablename']}")) for table in tables)

    return read


@pytest.fixture(autouse=True)
def _no_secret_is_left(logged, request):
    """Whatever a test does, no secret is in a log line, a table or an event after it."""
    tables = "service" in request.fixturenames and request.getfixturevalue("everything_stored")
    yield
    assert checks.secrets_in("".join(logged) + (tables() if tables else "")) == []


@pytest.fixture(autouse=True)
def _books_agree(request):
    """Whatever a test does, the books agree after it."""
    if "service" not in request.fixturenames:
        yield
        return
    sql, stripe = request.getfixturevalue("sql"), request.getfixturevalue("stripe")
    yield
    checks.books_agree(sql, stripe)


@pytest.fixture
def at_once():
    """`at_once(f, g, …)`: runs all at the same time; their answers, or the faults they raised."""

    def run(*functions):
        def outcome(function):
            try:
                return function()
            except Exception as error:
                return error

        return [each.wait() for each in [eventlet.spawn(outcome, f) for f in functions]]

    return run
