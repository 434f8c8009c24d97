"""The shop that the tests of a module share."""

import pytest

from tests.e2e.shop import empty_books, running


@pytest.fixture(scope="module")
def shop(vhost, databases, tmp_path_factory):
    """All services; started once for a module, with empty books."""
    empty_books(databases)
    with running(vhost, databases, tmp_path_factory.mktemp("outbox")) as shop:
        yield shop
