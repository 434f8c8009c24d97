"""A RabbitMQ of these tests' own: they make users, and raise alarms that stop whoever publishes."""

import pytest

from shop.local.rabbitmq import private_rabbitmq

PACKAGES = ("gateway", "users", "products", "orders", "payments", "notifications")


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """`.uri`, `.api`, `.pid`: guest may do everything there."""
    with private_rabbitmq(tmp_path_factory.mktemp("node")) as server:
        yield server
