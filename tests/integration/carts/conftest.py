"""Fixtures of the shop, as the tests of orders have them."""

from tests.integration.orders.conftest import *  # noqa: F403  (fixtures are found by name)
