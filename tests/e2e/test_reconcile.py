"""`shop reconcile`: compares the ledger of a running shop with the provider's books."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from chassis import config as configuration
from chassis.clock import utcnow
from shop import reconcile
from shop.cli import shop as command
from tests.e2e.shop import running_anew
from tests.support import eventually


@pytest.fixture(scope="module")
def shop(new_vhost, databases, tmp_path_factory):
    """A shop with new books that judges movements after a second."""
    settings = {"provider": "simulator", "call_seconds": 1, "settling_seconds": 1}
    outbox = tmp_path_factory.mktemp("outbox")
    with running_anew("reconcile", new_vhost, databases, outbox, payments=settings) as shop:
        yield shop


@pytest.fixture(scope="module")
def run(shop):
    """`run("--json")`: what the command does, about what has moved since the shop was opened."""
    runner = CliRunner(env={"AMQP_URI": shop.config["AMQP_URI"]})
    opened = ("--since", utcnow().isoformat())
    return lambda *options: runner.invoke(command, ["reconcile", *opened, *options])


@pytest.fixture(scope="module")
def payment(shop, run):
    """Of an order that got a part of its money back; both are old enough to be compared."""
    buyer = shop.customer()
    payment = shop.pay(buyer, shop.order(buyer, shop.product()))
    refund = {"amount": "1.00", "reason": "scratched"}
    shop.employee("staff").post(f"/api/payments/{payment['id']}/refund", refund)
    eventually(lambda: json.loads(run("--json").stdout)["movements"] == 2)
    return payment


@pytest.fixture
def wrong(shop, payment):
    """The provider has another amount of the refund, for as long as the test lasts."""
    engine = sa.create_engine(configuration.database_url(shop.config, "payments"))

    def change(amount):
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "UPDATE simulator_refunds SET amount = :amount FROM simulator_charges AS charge"
                    " WHERE charge.reference = charge_reference AND charge.key = :key"
                ),
                {"amount": amount, "key": f"payment-{payment['id']}"},
            )

    change("0.50")
    yield payment
    change("1.00")
    engine.dispose()


def test_books_that_agree(run, payment):
    """One line that says how much was looked at."""
    result = run()
    assert result.exit_code == 0, result.stdout
    assert result.stdout.startswith("0 findings in 2 movements from ")
    assert result.stdout.count("\n") == 1


def test_books_that_do_not(run, wrong):
    """A table of what is wrong and what to do, a line for each finding, a status for scripts."""
    result = run()
    assert result.exit_code == 1, result.stdout
    assert "what to do" in result.stdout
    assert "Ask the provider" in result.stdout
    ids = f"order {wrong['order_id']}, payment {wrong['id']}, charge sim_"
    assert f"amount_differs: simulator: {ids}" in result.stdout
    assert "ours 1.00 EUR, theirs 0.50 EUR" in result.stdout
    assert "1 finding in 2 movements from " in result.stdout


def test_for_programs(run, wrong):
    """The report as it is, with the same status."""
    result = run("--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (finding,) = report["findings"]
    assert (finding["problem"], finding["payment_id"]) == ("amount_differs", wrong["id"])
    assert (report["movements"], report["more"]) == (2, 0)


def test_another_time(run, wrong):
    """What is not asked for is not compared."""
    result = run("--since", "2025-01-01", "--until", "2025-01-31T12:00:00+01:00")
    assert result.exit_code == 0, result.stdout
    told = "0 findings in 0 movements from 2025-01-01T00:00:00+00:00 to 2025-01-31T11:00:00+00:00\n"
    assert result.stdout == told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--since", "yesterday"], "'yesterday' is no time"),
        (["--since", "2025-01-01", "--until", "2025-02-02"], "31 days"),
        (["--since", "2025-01-01", "--until", "2025-01-01"], "after --since"),
    ],
)
def test_a_time_that_is_none(run, options, told):
    """Refused before anybody is asked."""
    result = run(*options)
    assert result.exit_code == 2
    assert told in result.output


@pytest.mark.parametrize("away", ["broker", "shop"])
def test_without_a_shop_it_cannot_tell(new_vhost, monkeypatch, away):
    """One line, and another status than that of books that are wrong."""
    with new_vhost("empty") as vhost:
        uri = vhost.uri if away == "shop" else "amqp://guest:guest@127.0.0.1:1/"
        monkeypatch.setenv("AMQP_URI", uri)
        result = CliRunner().invoke(command, ["reconcile"])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    which, told = result.output.splitlines()
    assert which.startswith("shop: ")
    assert told.startswith("Error: the shop does not answer: ")


def test_more_than_are_listed():
    """The rest is counted, and the last line counts all."""
    report = {"since": "a", "until": "b", "movements": 1, "findings": [], "more": 7}
    assert list(reconcile.lines(report)) == [
        "and 7 more, which are not listed",
        "7 findings in 1 movement from a to b",
    ]
