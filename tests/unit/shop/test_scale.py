"""How many processes of each service."""

import pytest
from click.testing import CliRunner

from shop.cli import shop
from shop.local.scale import first_slots, scale_of
from shop.local.server import LocalError


def test_one_of_each_unless_told():
    """Wishes come as words, one or several in each."""
    assert set(scale_of([]).values()) == {1}
    told = scale_of(["orders=2 gateway=3", "users=16"])
    assert (told["orders"], told["gateway"], told["users"], told["payments"]) == (2, 3, 16, 1)


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ("checkout=2", "services are gateway, notifications"),
        ("orders", "say orders=N"),
        ("orders=0", "1 to 16"),
        ("orders=-1", "1 to 16"),
        ("orders=17", "1 to 16"),
        ("orders=2.5", "1 to 16"),
        ("orders=\u0662", "1 to 16"),
        ("orders=" + "9" * 5000, "1 to 16"),
        ("=2", "services are"),
        ("orders=2 orders=3", "orders is there twice"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(wish, why):
    """With what would."""
    with pytest.raises(LocalError, match=why) as refused:
        scale_of([wish])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("said", [["--scale=orders=0"], ["--scale", "users=2", "--scale", "x=1"]])
def test_the_command_refuses_before_it_begins(said, monkeypatch):
    """Wishes of the command line, or else of the environment."""
    refused = CliRunner().invoke(shop, ["run", *said]).exception
    assert isinstance(refused, LocalError)
    monkeypatch.setenv("SCALE", "users=2 orders=99")
    refused = CliRunner().invoke(shop, ["run"]).exception
    assert "orders=99" in str(refused)


def test_each_process_has_a_place():
    """One more for each service than run."""
    places = first_slots(scale_of(["gateway=2"]))
    assert (places["gateway"], places["notifications"], places["orders"]) == (0, 3, 5)
