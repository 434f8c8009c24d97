"""A provider whose books a test writes, and a reconciliation with them."""

import contextlib
import datetime
import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import ProviderFault
from payments.providers import Providers
from payments.providers.port import Kind, Movement
from payments.reconciliation.commands import Reconciliation
from payments.settings import PaymentsSettings

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _always_adds_up():
    """Not here: the books are wrong on purpose."""


class Bank:
    """A provider that has the books which a test gives it: movements with their times."""

    name = "simulator"

    def __init__(self):
        self.books = []
        self.asked = []

    def movements(self, since, until):
        return (movement for at, movement in self.books if since <= at < until)

    def movements_of(self, charge):
        self.asked.append(charge)
        found = [movement for _, movement in self.books if movement.charge == charge]
        if not found:
            raise ProviderFault("no such charge")
        return found

    def change(self, kind, **facts):
        """Its movements of that kind are otherwise."""
        self.books = [
            (at, replace(movement, **facts) if movement.kind is kind else movement)
            for at, movement in self.books
        ]

    def forget(self, kind):
        """It has no movements of that kind."""
        self.books = [(at, movement) for at, movement in self.books if movement.kind is not kind]


@pytest.fixture
def sale(pay, payments):
    """`sale()`: an order that was paid 100.00 and got 30.00 back; its payment."""

    def sell():
        payment = pay(order_id=str(uuid.uuid4()))
        payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
        return payment

    return sell


@pytest.fixture
def bank(sql):
    """`bank()`: with the same movements as our ledger."""

    def open_books():
        bank = Bank()
        for row in sql(
            "SELECT entry.*, payments.provider_reference AS charge FROM ledger_entries AS entry"
            " JOIN payments ON payments.id = payment_id ORDER BY entry.id"
        ):
            movement = Movement(
                Kind(row["kind"]), row["provider_reference"], row["charge"], row["amount"],
                row["currency"],
            )  # fmt: skip
            bank.books.append((row["at"], movement))
        return bank

    return open_books


@pytest.fixture
def read(service, config):
    """`with read() as connection`: of the payments database."""
    engine = sa.create_engine(configuration.database_url(config, "payments"))

    @contextlib.contextmanager
    def connect():
        with engine.connect() as connection:
            yield connection

    yield connect
    engine.dispose()


@pytest.fixture
def run(read):
    """`run(bank)`: the report of the last two days, an hour from now."""

    def reconcile(bank, ahead=60 * MINUTE, **times):
        now = Clock.source() + ahead
        comparing = Reconciliation(
            read, Providers(bank), now, PaymentsSettings().load({"provider": "simulator"})
        )
        return comparing.run(**{"since": now - 2 * DAY, "until": now} | times)

    return reconcile


def problems(report):
    """What was found, in order."""
    return [finding.problem for finding in report.findings]
