"""The whole shop but its door, and what its services say to each other."""

import types

import pytest

from tests.contract.scenario import WEBHOOK_SECRET, a_day
from tests.contract.services import SERVICES
from tests.contract.tap import Tap
from tests.support import eventually


@pytest.fixture(scope="session")
def recorded():
    """Keeps the traffic for all tests, for services end with each test."""
    return types.SimpleNamespace()


@pytest.fixture
def traffic(recorded, request):
    """`.calls`, `.told` and `.everything` of a day with every call in it."""
    if not vars(recorded):
        recorded.complete = False
        start, call = (request.getfixturevalue(name) for name in ("start", "call"))
        clock, folder = (request.getfixturevalue(name) for name in ("clock", "tmp_path"))
        services = [service for service in SERVICES if service.name != "gateway"]
        containers = start(
            *services,
            notifications={
                "outbox": str(folder),
                **dict.fromkeys(("mails_per_hour", "mails_per_day"), 1000),
                **dict.fromkeys(("security_mails_per_hour", "security_mails_per_day"), 1000),
            },
            # Who pays at the end of the time to pay does so less than a day before the hold ends.
            orders={"reservation_grace": 86_400 - 900},
            payments={"provider": "simulator", "simulator": {"webhook_secrets": WEBHOOK_SECRET}},
        )
        tap = Tap(containers[0].config["AMQP_URI"], [*containers, call._container])
        a_day(call, clock, folder)
        asked = ("inventory.release", "payments.list")  # by orders, when it comes round to it
        eventually(lambda: {c.method for c in tap.calls() if c.caller == "orders"} >= set(asked))
        recorded.calls, recorded.told = tap.calls(), tap.told()
        recorded.everything = tap.everything()
        recorded.complete = True
        tap.close()
    assert recorded.complete, "the day in the shop came to no end"
    return recorded
