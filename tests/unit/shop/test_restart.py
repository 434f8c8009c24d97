"""The order in which processes are renewed, with a supervisord that only keeps count."""

import pytest

from shop.local import restart
from shop.local.place import Place
from shop.local.server import LocalError
from shop.packages import SERVICE_PACKAGES


class Control:
    """Slots of `orders` and which are up; `done` is what was asked for."""

    def __init__(self, *is_up, gets_ready=True):
        self.slots = {f"orders-{n}": up for n, up in enumerate(is_up, 1)}
        self.done = []
        self.fewest = self.count
        self.gets_ready = gets_ready

    @property
    def count(self):
        return sum(self.slots.values())

    def processes(self, package):
        return dict(self.slots)

    def start(self, name):
        self.slots[name] = True
        self.done.append(f"+{name[-1]}")

    def stop(self, name):
        self.slots[name] = False
        self.done.append(f"-{name[-1]}")
        self.fewest = min(self.fewest, self.count)


@pytest.fixture
def renew(monkeypatch):
    """`renew(control)`: what was done, as in "+2 -1"."""

    def run(control):
        monkeypatch.setattr(restart, "consumers", lambda uri, package: control.count)

        def wait(uri, wanted, seconds):
            if not control.gets_ready or control.count < wanted["orders"]:
                raise LocalError("not ready")

        monkeypatch.setattr(restart, "await_consumers", wait)
        restart._renew(control, "amqp://", "orders", restart.Terminal())
        return " ".join(control.done)

    return run


def test_one_more_before_one_less(renew):
    """With one process and with several: there are never fewer than before."""
    for slots, done in (((1, 0), "+2 -1"), ((0, 1), "+1 -2"), ((1, 1, 0), "+3 -1 +1 -2")):
        control = Control(*map(bool, slots))
        assert renew(control) == done
        assert control.fewest == sum(slots)


def test_what_an_interrupted_restart_has_left_goes_first(renew):
    """No slot is free then."""
    assert renew(Control(True, True, True)) == "-3 +3 -1 +1 -2"


def test_one_that_does_not_get_ready_is_stopped_again(renew):
    """The old one stays."""
    control = Control(True, False, gets_ready=False)
    with pytest.raises(LocalError):
        renew(control)
    assert control.done == ["+2", "-2"]
    assert control.slots == {"orders-1": True, "orders-2": False}


def test_every_service_has_its_turn():
    """The gateway, which asks all others, is the last."""
    assert sorted(restart.order()) == sorted(SERVICE_PACKAGES)
    assert restart.order()[-1] == "gateway"


def test_who_is_asked_is_renewed_before_who_asks():
    """But for payments, which refuses what orders of the release before leaves unsaid."""
    turn = restart.order().index
    assert turn("users") < turn("orders") < turn("payments") < turn("gateway")
    assert turn("products") < turn("orders")
    assert turn("users") < turn("notifications")


def test_without_a_shop_it_says_so(monkeypatch, tmp_path):
    """And what is no service, too."""
    monkeypatch.setenv("SHOP_VAR", str(tmp_path))
    with pytest.raises(LocalError, match="no shop of this clone is running"):
        restart.restart([])
    with pytest.raises(LocalError, match="checkout: services are gateway, "):
        restart.restart(["checkout"])


def test_one_restart_at_a_time(monkeypatch, tmp_path):
    """A second one would take the slots of the first."""
    monkeypatch.setenv("SHOP_VAR", str(tmp_path))
    place = Place.from_environment()
    with restart._alone(place), pytest.raises(LocalError, match="under way"):
        with restart._alone(place):
            pass
