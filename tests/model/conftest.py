"""Machines of hypothesis: random walks through the program beside a simple model of it."""

import importlib

import pytest
import sqlalchemy as sa
from hypothesis.stateful import run_state_machine_as_test

from chassis import config as configuration
from tests.model.world import SETTINGS


@pytest.fixture
def walk(databases):
    """`walk(Machine, "products")`: on the database of a package, as often as the profile says."""

    def run(machine, package):
        engine = sa.create_engine(configuration.database_url({"DATABASE_URL": databases}, package))
        tables = importlib.import_module(f"{package}.models").Base.metadata.tables
        with engine.begin() as connection:  # what other tests have left would be swept too
            # The ledger refuses to be emptied; a replica's session fires no triggers.
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(sa.text(f"TRUNCATE {', '.join(tables)} CASCADE"))
        run_state_machine_as_test(lambda: machine(engine), settings=SETTINGS)
        engine.dispose()

    return run
