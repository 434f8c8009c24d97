"""The containers, run for real: `make containers`. Needs Docker, and takes minutes."""

import pytest
from nameko.testing.utils import find_free_port

from shop.packages import DATABASE_PACKAGES, SERVICE_PACKAGES
from tests.containers.project import ROOT, Project, run
from tests.containers.trade import Trade
from tests.support import eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SCALE = ("--scale=orders=3", "--scale=gateway=2")
SERVERS = ("rabbitmq", "postgres", "proxy", *SERVICE_PACKAGES)
#: What has no writable file system in the container of a service.
CLOSED = "touch /shop/x || touch /venv/x || touch /etc/x"
ENTER = """
import psycopg2, sys
user, database = sys.argv[1:]
try:
    psycopg2.connect(host="postgres", user=user, password="demo-" + user, dbname=database)
except psycopg2.OperationalError as refused:
    sys.exit(str(refused))
"""


@pytest.fixture(scope="module")
def project():
    """Up, with the demo's data."""
    names = ("HTTP_PORT", "RABBITMQ_MANAGEMENT_PORT", "MAILPIT_PORT")
    project = Project({name: find_free_port() for name in names})
    project.down()
    try:
        project.up(*SCALE)
        yield project
    finally:
        project.down()


@pytest.fixture
def trade(project):
    return Trade(project.url, buyers=4)


@pytest.fixture
def books_agree(project):
    """`books_agree(trade)`: by the shop's own rules, and by what people were told."""

    def check(trade):
        project.compose("run", "--rm", "tools", "shop", "verify")
        assert trade.journal.orders
        for order in trade.journal.orders.values():
            found = trade.staff.call("GET", f"/api/orders/{order['id']}").body
            assert found["total"] == order["total"]
        assert trade.journal.surprises == []
        assert trade.journal.doubled == []

    return check


def test_the_demo(project):
    """One order, from sign-up to the mail."""
    project.compose("run", "--rm", "-e", "SHOP_URL=http://proxy:8000", "tools", "shop", "demo")


@pytest.mark.parametrize("package", DATABASE_PACKAGES)
def test_a_service_enters_its_own_database_only(project, package):
    for other in DATABASE_PACKAGES:
        done = project.inside(
            f"{package} 1", "python", "-c", ENTER, package, f"shop_{other}", check=False
        )
        if other == package:
            assert done.returncode == 0, done.stderr
        else:
            assert "does not have CONNECT privilege" in done.stderr


@pytest.mark.parametrize("package", SERVICE_PACKAGES)
def test_a_service_has_no_rights_on_its_machine(project, package):
    name = f"{package} 1"
    assert project.inside(name, "id", "-u").stdout == "10001\n"
    assert project.inside(name, "sh", "-c", CLOSED, check=False).returncode != 0
    status = project.inside(name, "cat", "/proc/1/status").stdout
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_one_service_alone(project):
    """From the image, without compose."""
    (network,) = project.containers()["orders 1"]["NetworkSettings"]["Networks"]
    settings = {
        "AMQP_URI": "amqp://orders:demo-orders@rabbitmq:5672/",
        "ORDERS_DATABASE_URL": "postgresql://orders:demo-orders@postgres:5432/shop_orders",
    }
    environment = [f"--env={name}={value}" for name, value in settings.items()]
    started = run(
        "docker", "run", "--detach", "--rm", "--read-only", "--tmpfs=/tmp", f"--network={network}",
        *environment, "shop:local", "nameko", "run", "--config", "config.yaml", "orders.service",
    )  # fmt: skip
    container = started.stdout.strip()
    health = ("docker", "exec", container, "shop", "health", "carts", "orders")
    try:
        eventually(lambda: run(*health, check=False).returncode == 0, timeout=60, every=0.5)
    finally:
        run("docker", "stop", container)


def test_a_missing_secret_is_one_line(project, tmp_path):
    """Nothing is started."""
    demo = (ROOT / "deploy/demo.env").read_text().replace("ORDERS_PASSWORD=demo-orders\n", "")
    (tmp_path / "env").write_text(demo)
    done = project.compose("up", check=False, settings=str(tmp_path / "env"))
    assert done.returncode != 0
    assert done.stderr.strip().endswith("set ORDERS_PASSWORD, see .env.example")
    assert done.stderr.strip().count("\n") == 0


def test_what_dies_comes_back_and_nothing_is_lost(project, trade, books_agree):
    """Each process once, RabbitMQ and PostgreSQL among them, while people buy."""
    with trade.going_on():
        for name in [name for name in project.containers() if name.split()[0] in SERVERS]:
            before = len(trade.journal.orders)
            project.kill(name)
            eventually(lambda name=name: project.is_well(name), timeout=180, every=0.5)
            eventually(lambda before=before: len(trade.journal.orders) > before, timeout=60)
    books_agree(trade)


def test_a_rolling_restart_fails_no_request(project, trade, books_agree):
    """With two of each."""
    project.up(*(f"--scale={name}=2" for name in SERVICE_PACKAGES))
    with trade.going_on():
        for name in SERVICE_PACKAGES:
            project.restart(f"{name} 1")
            project.restart(f"{name} 2")
    assert sum(trade.journal.failed.values()) == 0
    books_agree(trade)
