"""Settings: the environment wins, and what is wrong is one clear line."""

import subprocess
import sys

import pytest
from marshmallow import Schema, fields
from nameko.exceptions import ConfigurationError

from chassis import config


def test_the_environment_wins(monkeypatch):
    """Each value of config.yaml can be set by its environment variable."""
    monkeypatch.setenv("AMQP_URI", "amqp://elsewhere/")
    monkeypatch.setenv("MAX_WORKERS", "7")
    loaded = config.load()
    assert (loaded["AMQP_URI"], loaded["max_workers"]) == ("amqp://elsewhere/", 7)


def test_secrets_keep_their_type(monkeypatch):
    """A password like 0123 is not a number."""
    monkeypatch.setenv("SMTP_PASSWORD", "0123")
    assert config.load()["notifications"]["smtp_password"] == "0123"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://u:p@h/shop", "postgresql+psycopg2://u:p@h/shop_users"),
        ("postgresql://h", "postgresql+psycopg2://h/shop_users"),
        (
            "postgresql://h/x?sslmode=require",
            "postgresql+psycopg2://h/x_users?sslmode=require",
        ),
    ],
)
def test_a_database_for_each_package(given, expected):
    """One setting names them all, and never SQLAlchemy's default driver."""
    assert config.database_url({"DATABASE_URL": given}, "users") == expected


def test_a_database_of_its_own(monkeypatch):
    """A package's own address is taken as it is, and that of the environment wins."""
    settings = {"DATABASE_URL": "postgresql://h/shop", "DATABASES": {"users": "postgresql://x/y"}}
    assert config.database_url(settings, "users") == "postgresql+psycopg2://x/y"
    monkeypatch.setenv("USERS_DATABASE_URL", "postgresql://v/w")
    assert config.database_url(settings, "users") == "postgresql+psycopg2://v/w"
    assert config.database_url(settings, "orders") == "postgresql+psycopg2://h/shop_orders"


@pytest.mark.parametrize("url", ["", "no url", "sqlite:///x", "mysql://h/d"])
def test_only_postgresql(url):
    """Locks and constraints are the product; no other database has them."""
    with pytest.raises(ConfigurationError) as wrong:
        config.database_url({"DATABASE_URL": url}, "users")
    assert str(wrong.value).startswith("config: DATABASE_URL: ")


NAMEKO = (sys.executable, "-W", "ignore", "-m", "nameko")


class Section(Schema):
    size = fields.Integer(required=True)
    inner = fields.Nested(lambda: Section(), required=False)


def test_every_fault_is_named():
    """One line names each setting that is wrong, with its path."""
    with pytest.raises(ConfigurationError) as wrong:
        config.check(Section(), {"inner": {"size": "big"}, "typo": 1}, "web")
    assert "\n" not in str(wrong.value)
    for name in ("web.size: ", "web.inner.size: ", "web.typo: "):
        assert name in str(wrong.value)


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("AMQP_URI", "http://x", "AMQP_URI"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("MAX_WORKERS", "many", "max_workers"),
        ("ORDER_PAYMENT_WINDOW", "soon", "orders.payment_window"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_line(variable, value, named, tmp_path):
    """`nameko run` with a wrong setting: status 1, one line, no traceback."""
    process = subprocess.run(
        [*NAMEKO, "run", "orders.service", "--config", str(config.DEFAULT_PATH)],
        cwd=config.DEFAULT_PATH.parent,
        env={"PATH": "/usr/bin:/bin", variable: value},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == 1
    lines = process.stderr.strip().splitlines()
    assert len(lines) == 1
    assert f"config: {named}: " in lines[0]
    assert "Traceback" not in process.stdout
