"""Machines of hypothesis: random walks through the program beside a simple model of it."""

import pytest
import sqlalchemy as sa
from hypothesis.stateful import run_state_machine_as_test

from chassis import config as configuration
from tests.conftest import empty
from tests.model.world import SETTINGS


@pytest.fixture
def walk(databases):
    """`walk(Machine, "products")`: on the database of a package, as often as the profile says."""

    def run(machine, package):
        engine = sa.create_engine(configuration.database_url({"DATABASE_URL": databases}, package))
        empty(engine.url)  # what other tests have left would be swept too
        run_state_machine_as_test(lambda: machine(engine), settings=SETTINGS)
        engine.dispose()

    return run
