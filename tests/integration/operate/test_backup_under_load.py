"""`shop backup` under load, `shop restore` into fresh databases, and books that agree."""

import contextlib
import json
import os
import random
import subprocess
import sys

import eventlet
import pytest
import sqlalchemy as sa

from shop.verify import INVARIANTS, Books
from tests.e2e.shop import running, running_anew
from tests.integration.operate.databases import count_of
from tests.support import eventually

#: Times that pass quickly, so that what the instant has cut off is soon looked after.
SOON = {
    "orders": {
        "payment_window": 6,
        "reservation_grace": 4,
        "payment_patience": 3,
        "payment_recheck": 1,
        "checkout_patience": 3,
    },
    "payments": {"provider": "simulator", "call_seconds": 1, "give_up_seconds": 3},
}


@pytest.fixture
def shop_command(config):
    """`shop_command("backup", folder)`: in a process of its own, while this one goes on; its
    output, after it has ended with status `code`."""

    def run(*arguments, code=0, **environment):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", "from shop.cli import main; main()", *arguments],
            env=os.environ | {"AMQP_URI": config["AMQP_URI"]} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        eventually(lambda: process.poll() is not None, timeout=90)
        output = process.stdout.read()
        assert process.returncode == code, output + process.stderr.read()
        return output

    return run


def broken(books):
    found = {each.name: each.check(books).violations for each in INVARIANTS}
    return {name: violations for name, violations in found.items() if violations}


def buy(shop, buyer, products, chance, closed):
    """Order, pay, cancel and give up, as it comes, until the shop closes."""
    while not closed:
        with contextlib.suppress(Exception):  # sold out, cut off: the books are what counts
            order = shop.order(buyer, chance.choice(products), quantity=chance.randint(1, 3))
            fate = chance.random()
            if fate < 0.8:
                shop.pay(buyer, order)
            if fate > 0.6:
                buyer.post(f"/api/orders/{order['id']}/cancel", {})


@contextlib.contextmanager
def sales(shop):
    """Eight buyers at once, for as long as that lasts."""
    products = [shop.product(stock=500) for _ in range(3)]
    closed = []
    buyers = [
        eventlet.spawn(buy, shop, shop.customer(), products, random.Random(n), closed)
        for n in range(8)
    ]
    yield
    closed.append(True)
    for one in buyers:
        one.wait()


@pytest.mark.timeout(300)
def test_a_shop_that_sells_is_backed_up_and_restored(
    new_vhost, databases, fresh, tmp_path, shop_command
):
    """At whatever instant: restored into fresh databases and with an empty broker, its services
    finish what was under way, and then all books agree."""
    backups = [tmp_path / "keep" / str(n) for n in range(3)]
    with running_anew("backup", new_vhost, databases, tmp_path / "mails", **SOON) as shop:
        servers = {"AMQP_URI": shop.config["AMQP_URI"], "DATABASE_URL": databases}
        with sales(shop):
            for folder in backups:
                orders = count_of(databases, "orders")
                eventually(lambda n=orders: count_of(databases, "orders") > n + 5, timeout=60)
                told = shop_command("backup", str(folder), "--json", **servers)
                assert json.loads(told)["paused_ms"] < 3000, told
    for number, folder in enumerate(backups):
        place = sa.make_url(fresh)
        place = place.set(database=f"{place.database}{number}")
        url = place.render_as_string(hide_password=False)
        with new_vhost(f"restored{number}") as vhost:
            shop_command("restore", str(folder), AMQP_URI=vhost.uri, DATABASE_URL=url)
            assert count_of(url, "orders") > 5
            with running(vhost, url, tmp_path / "mails", **SOON):
                with Books({"DATABASE_URL": url}) as books:
                    eventually(lambda books=books: broken(books) == {}, timeout=60)
