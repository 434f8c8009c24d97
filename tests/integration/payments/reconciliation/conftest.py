"""A provider whose books a test writes, and a reconciliation with them."""

import contextlib
import datetime
import uuid
from dataclasses import replace
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import ProviderFault
from payments.providers import Providers
from payments.providers.port import Kind, ProviderTransaction
from payments.reconciliation.commands import reconcile
from payments.settings import PaymentsSettings

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _always_adds_up():
    """Not here: the books are wrong on purpose."""


class Bank:
    """A provider that has the books which a test gives it: transactions with their times."""

    name = "simulator"

    def __init__(self):
        self.books = []
        self.asked = []

    def transactions(self, since, until):
        return (transaction for at, transaction in self.books if since <= at < until)

    def transactions_of(self, charge):
        self.asked.append(charge)
        found = [transaction for _, transaction in self.books if transaction.charge == charge]
        if not found:
            raise ProviderFault("no such charge")
        return found

    def change(self, kind, **facts):
        """Its transactions of that kind are otherwise."""
        self.books = [
            (at, replace(transaction, **facts) if transaction.kind is kind else transaction)
            for at, transaction in self.books
        ]

    def forget(self, kind):
        """It has no transactions of that kind."""
        self.books = [
            (at, transaction) for at, transaction in self.books if transaction.kind is not kind
        ]


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
    """`bank()`: with the same transactions as our ledger."""

    def open_books():
        bank = Bank()
        for row in sql(
            "SELECT entry.*, payments.provider_reference AS charge FROM ledger_entries AS entry"
            " JOIN payments ON payments.id = payment_id ORDER BY entry.id"
        ):
            transaction = ProviderTransaction(
                Kind(row["kind"]), row["provider_reference"], row["charge"], row["amount"],
                row["currency"],
            )  # fmt: skip
            bank.books.append((row["at"], transaction))
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

    def run(bank, ahead=60 * MINUTE, **times):
        now = Clock.source() + ahead
        context = SimpleNamespace(
            db=SimpleNamespace(autocommit=read),
            providers=Providers(bank),
            clock=lambda: now,
            settings=PaymentsSettings().load({"provider": "simulator"}),
        )
        return reconcile(context, **{"since": now - 2 * DAY, "until": now} | times)

    return run


def problems(report):
    """What was found, in order."""
    return [finding.problem for finding in report.findings]
