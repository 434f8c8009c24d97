"""`shop sample --accounts`."""

import pytest
from click.testing import CliRunner

from shop import sample
from shop.cli import shop
from shop.local.place import Place

SERVERS = {"AMQP_URI": "amqp://broker.example", "DATABASE_URL": "postgresql://db.example/shop"}


@pytest.mark.parametrize("setting", [None, "", "false"])
def test_accounts_that_all_know_are_for_a_demo_only(monkeypatch, setting):
    """Elsewhere the command says so and does nothing."""
    called = []
    monkeypatch.setattr(sample, "load", lambda *args, **kwargs: called.append(kwargs))
    run = CliRunner().invoke(
        shop, ["sample", "--accounts"], env=SERVERS | {"SAMPLE_ACCOUNTS": setting}
    )
    assert run.exit_code == 1
    assert "SAMPLE_ACCOUNTS" in run.output
    assert not called
    run = CliRunner().invoke(
        shop, ["sample", "--accounts"], env=SERVERS | {"SAMPLE_ACCOUNTS": "true"}
    )
    assert (run.exit_code, called) == (0, [{"accounts": True}])


def test_make_run_is_a_demo_on_a_database_of_its_own(monkeypatch, tmp_path):
    """On the database of others nobody has asked for one."""
    monkeypatch.setenv("SHOP_VAR", str(tmp_path))
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "password").write_text("secret")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert Place.from_environment().environment()["SAMPLE_ACCOUNTS"] == "true"
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/shop")
    assert "SAMPLE_ACCOUNTS" not in Place.from_environment().environment()
