"""Processes that die where a test says."""

import pytest

from chassis import config as configuration
from shop.migrate import declare_queues
from shop.packages import load_services
from tests.conftest import empty

pytest.register_assert_rewrite("tests.chaos.crash.books")

from tests.chaos.crash import world  # noqa: E402  (its assertions are rewritten first)


@pytest.fixture(scope="module")
def shop(databases, new_vhost, tmp_path_factory):
    """A shop on empty databases, with queues of its own; what dies is started again."""
    with new_vhost("crash") as vhost:
        config = configuration.load() | {
            "AMQP_URI": vhost.uri,
            "DATABASE_URL": databases,
            "DATABASES": {},
        }
        for package in world.PACKAGES:
            empty(configuration.database_url(config, package))
        declare_queues(config, load_services())
        with world.running(config, tmp_path_factory.mktemp("crash")) as shop:
            yield shop
