"""`shop health`, which containers ask every few seconds."""

from chassis.service import Service
from shop.health import ask


class Patient(Service):
    name = "patient"


def test_health(start, config):
    """A service that runs is ok; one that does not is told apart from a broker that is away."""
    start(Patient)
    assert ask(config["AMQP_URI"], "patient") == "ok"
    assert ask(config["AMQP_URI"], "stranger") == "nobody there"
    assert ask("amqp://guest:guest@127.0.0.1:1/", "patient").startswith("no broker")


def test_no_answer(start, config):
    """A service whose queue is there but which has ended does not answer in time."""
    (container,) = start(Patient)
    container.stop()
    assert ask(config["AMQP_URI"], "patient", patience=0.5) in ("no answer", "nobody there")
