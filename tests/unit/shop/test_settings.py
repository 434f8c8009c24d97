"""Which shop a command talks to."""

import json
import os

import click
import pytest
from click.testing import CliRunner

from chassis.config import database_url
from shop.cli import shop
from shop.local.place import FOLLOWING, Place
from shop.local.server import LocalError
from shop.operate import settings
from shop.options import CannotTell

OTHERS = ("AMQP_URI", "DATABASE_URL", "RABBITMQ_API", "SHOP_URL", "MAIL_OUTBOX", "HTTP_HOST")


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing is set but the folder."""
    for name in (*OTHERS, "HTTP_PORT", *FOLLOWING):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_VAR", str(tmp_path / "var"))
    yield monkeypatch
    for name in ("AMQP_URI", "DATABASE_URL", "RABBITMQ_API"):  # commands set what they have found
        os.environ.pop(name, None)


@pytest.fixture
def running(environment):
    """This clone's shop runs, started with HTTP_PORT=9000 and a database of others."""
    environment.setenv("HTTP_PORT", "9000")
    environment.setenv("DATABASE_URL", "postgresql://me:secret@elsewhere:5433/shop")
    place = Place.from_environment()
    with place.lock():
        place.var.joinpath("rabbitmq").mkdir()
        place.record()
        environment.delenv("HTTP_PORT")
        environment.delenv("DATABASE_URL")
        yield place


def test_a_shop_that_runs_is_found(running, environment):
    """With all it was started with, whatever ports this terminal has set."""
    environment.setenv("HTTP_PORT", "8000")
    found = Place.of_running()
    assert found == running
    assert settings.shop_url() == "http://127.0.0.1:9000"
    assert settings.setting("AMQP_URI") == running.rabbitmq.uri
    assert ":9672" in running.rabbitmq.uri
    assert settings.setting("DATABASE_URL") == "postgresql://me:secret@elsewhere:5433/shop"
    assert settings.mail_outbox() == running.var / "outbox"


def test_its_record_is_private(running):
    """It may hold passwords; and it goes with the shop."""
    record = running.var / "running.json"
    assert record.stat().st_mode & 0o777 == 0o600
    assert json.loads(record.read_text())["HTTP_PORT"] == "9000"


def test_addresses_of_the_environment_win(running, environment):
    """As in containers."""
    environment.setenv("AMQP_URI", "amqp://me:secret@broker/")
    environment.setenv("SHOP_URL", "http://door:80/")
    assert settings.setting("AMQP_URI") == "amqp://me:secret@broker/"
    assert settings.shop_url() == "http://door:80"


def test_each_database_is_reached_as_its_own_role(environment):
    """By the passwords that `shop provision` takes; an address of its own wins."""
    environment.setenv("AMQP_URI", "amqp://broker/")
    environment.setenv("DATABASE_URL", "postgresql://admin:secret@server/shop")
    environment.setenv("ORDERS_PASSWORD", "sesame")
    environment.setenv("USERS_PASSWORD", "sesame")
    environment.setenv("USERS_DATABASE_URL", "postgresql://me:mine@elsewhere/people")
    config = settings.load()
    urls = {name: database_url(config, name) for name in ("orders", "payments", "users")}
    assert urls == {
        "orders": "postgresql+psycopg2://orders:sesame@server/shop_orders",
        "payments": "postgresql+psycopg2://admin:secret@server/shop_payments",
        "users": "postgresql+psycopg2://me:mine@elsewhere/people",
    }


def test_of_a_running_shop_passwords_are_not_asked(running, environment):
    """Its own server knows no such roles."""
    environment.setenv("ORDERS_PASSWORD", "sesame")
    assert "sesame" not in database_url(settings.load(), "orders")


def test_without_a_shop_none_is_guessed(environment, tmp_path):
    """What answers on the usual ports may be another clone's; so it is after a killed run, too."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "running.json").write_text('{"HTTP_PORT": "9000"}')
    (tmp_path / "var" / "lock").write_text("1")
    with pytest.raises(LocalError, match="no shop of this clone is running"):
        Place.of_running()
    for ask in (settings.shop_url, settings.load, lambda: settings.setting("AMQP_URI")):
        with pytest.raises(CannotTell, match="no shop of this clone is running"):
            ask()


@pytest.mark.parametrize("words", [["status"], ["health"], ["verify"], ["migrate"], ["demo"]])
def test_commands_say_so(words):
    """In one line, with status 2."""
    done = CliRunner().invoke(shop, words)
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "no shop of this clone is running: make run starts it" in done.output


def test_one_line_says_which(running, environment):
    """On standard error and without a password."""

    @click.command()
    def both():
        settings.find_servers()
        settings.setting("AMQP_URI")
        click.echo("{}")

    done = CliRunner().invoke(both)
    assert (done.stdout, done.stderr) == ("{}\n", "shop: this clone's at http://127.0.0.1:9000\n")
    environment.setenv("AMQP_URI", "amqp://me:secret@broker:5672/")
    environment.setenv("DATABASE_URL", "postgresql://me:secret@database/shop?x=secret")
    said = CliRunner().invoke(both).stderr
    assert said == "shop: broker:5672 (AMQP_URI), database (DATABASE_URL)\n"


def test_it_is_said_once(running):
    """Also when a command asks for its settings twice: what was found is not of the environment."""

    @click.command()
    def twice():
        settings.find_servers()
        settings.find_servers()

    for _ in "12":
        said = CliRunner().invoke(twice).stderr
        assert said == "shop: this clone's at http://127.0.0.1:9000\n"


def test_env(running):
    """What the shell evaluates is on standard output alone."""
    done = CliRunner().invoke(shop, ["env"])
    assert "export HTTP_PORT=9000\n" in done.stdout
    assert all(line.startswith("export ") for line in done.stdout.splitlines())
    assert "9000" in done.stderr
