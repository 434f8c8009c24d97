"""What `shop provision` says of wrong settings, before it touches anything."""

import pytest
from click.testing import CliRunner

from shop.cli import shop
from shop.packages import SERVICE_PACKAGES

PASSWORDS = [package.upper() for package in SERVICE_PACKAGES]


@pytest.fixture
def provision(monkeypatch):
    """`provision(ORDERS_PASSWORD="...")`: the lines it says when nothing but that is amiss."""

    def invoke(**changed):
        settings = {
            "AMQP_URI": "amqp://shop:hunter2@127.0.0.1:1/",
            "RABBITMQ_API": "http://shop:hunter2@127.0.0.1:1",
            "DATABASE_URL": "postgresql://shop:hunter2@127.0.0.1:1/shop",
        }
        settings |= {f"{name}_PASSWORD": "sesame" for name in PASSWORDS}
        for name, value in (settings | changed).items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(shop, ["provision"])
        assert result.exit_code == 2, result.output
        assert "hunter2" not in result.output
        return result.output.splitlines()

    return invoke


def test_each_setting_that_is_missing_is_a_line(provision):
    assert provision(ORDERS_PASSWORD="", RABBITMQ_API="") == [
        "Error: a setting is wrong: RABBITMQ_API is not set",
        "Error: a setting is wrong: ORDERS_PASSWORD is not set",
    ]


@pytest.mark.parametrize("password", ["p@ss", "a/b", "a:b", "a b", "50%", "schön", "line\n"])
def test_passwords_have_to_fit_into_an_address(provision, password):
    """And are not told."""
    (line,) = provision(USERS_PASSWORD=password)
    assert "USERS_PASSWORD may only have letters" in line
    assert password not in line


@pytest.mark.parametrize("url", ["mysql://shop:hunter2@db/shop", "hunter2", "postgresql://a:b:c:d"])
def test_the_database_has_to_be_postgresql(provision, url):
    assert provision(DATABASE_URL=url) == [
        "Error: a setting is wrong: DATABASE_URL is no address of a PostgreSQL database"
    ]


def test_a_server_that_is_away_is_a_line(provision):
    (line,) = provision()
    assert line.startswith("Error: the databases do not answer: ")
