"""`shop backup` and `shop restore`: what they refuse, and what is left of them when they fail."""

import itertools
import json
import pathlib
import stat

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from shop.migrate import migrate
from shop.operate.backup import snapshot, tools
from shop.packages import DATABASE_PACKAGES
from tests.conftest import empty
from tests.integration.operate.databases import rows

EVENT, HEARD = (f"00000000-0000-4000-8000-00000000000{n}" for n in "12")
HANDLERS = (
    ("products", "inventory.on_order_cancelled"),
    ("notifications", "notifications.announce"),
)


@pytest.fixture
def kept(databases, tmp_path, run, monkeypatch):
    """A backup of databases in which there is nothing much."""
    monkeypatch.setenv("DATABASE_URL", databases)
    folder = tmp_path / "backup"
    run("backup", str(folder))
    return folder


def fail_after(good, monkeypatch, *error):
    """The tools of PostgreSQL do their work so many times, and fail the next time."""
    real, calls = tools.run, itertools.count()

    def run_tool(*arguments):
        if next(calls) == good:
            raise tools.CannotTell(*error)
        return real(*arguments)

    monkeypatch.setattr(tools, "run", run_tool)


def test_what_was_on_its_way_is_told_again(config, databases, fresh, tmp_path, run, monkeypatch):
    """An event that RabbitMQ had, and no handler yet, is unsent again in what is restored; what
    waits in RabbitMQ is not of this shop any more."""
    monkeypatch.setenv("DATABASE_URL", databases)
    for package in DATABASE_PACKAGES:
        empty(configuration.database_url({"DATABASE_URL": databases}, package))
    lost, heard = (
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at, sent_at) VALUES"
        f" ('{event}', 'orders', 'order_cancelled', '{{}}', '{{}}', now(), now())"
        for event in (EVENT, HEARD)
    )
    rows(databases, "orders", lost)
    rows(databases, "orders", heard)
    for package, handler in HANDLERS:
        insert = f"INSERT INTO inbox (event_id, handler) VALUES ('{HEARD}', '{handler}')"
        rows(databases, package, insert)
    folder = tmp_path / "backup"
    assert "the shop as of" in run("backup", str(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    told = run("restore", str(folder), "--json", DATABASE_URL=fresh)
    assert told["events"] == 1
    assert told["next"] == ["shop migrate", "start the services", "shop verify"]
    unsent = "SELECT event_id::text FROM outbox WHERE sent_at IS NULL"
    assert rows(fresh, "orders", unsent) == [(EVENT,)]
    migrate({"DATABASE_URL": fresh})


def test_a_folder_that_is_taken(run, kept, one_line):
    """Nothing is overwritten, neither a backup nor what else lies there."""
    before = sorted(kept.iterdir())
    assert one_line(run("backup", str(kept), code=2))
    assert sorted(kept.iterdir()) == before
    assert list(kept.parent.iterdir()) == [kept], "a draft was left behind"
    file = kept.parent / "file"
    file.write_text("x")
    assert "Error: " in run("backup", str(file), code=2)
    assert one_line(run("backup", "/proc/nowhere/backup", code=2))


def test_databases_that_hold_something(run, kept, fresh, one_line):
    """Are replaced only when that was asked for, and after a yes."""
    run("restore", str(kept), DATABASE_URL=fresh)
    rows(fresh, "users", "CREATE TABLE later (id int)")
    assert f"use --replace: {', '.join(DATABASE_PACKAGES)}" in run("restore", str(kept), code=2)
    run("restore", str(kept), "--replace", code=1, input="n\n")
    assert rows(fresh, "users", "SELECT count(*) FROM later") == [(0,)]
    run("restore", str(kept), "--replace", input="y\n")
    assert rows(fresh, "users", "SELECT to_regclass('later')::text") == [(None,)]


@pytest.mark.parametrize("harm", ["none", "no page", "no json", "a dump", "no dump", "a database"])
def test_a_backup_that_is_none(run, kept, fresh, one_line, harm):
    """Is refused in a line before anything is touched."""
    page = kept / "backup.json"
    match harm:
        case "none":
            for path in kept.iterdir():
                path.unlink()
        case "no page":
            page.unlink()
        case "no json":
            page.write_bytes(b"\xff[")
        case "a dump":
            with (kept / "orders.dump").open("ab") as dump:
                dump.write(b"x")
        case "no dump":
            (kept / "orders.dump").unlink()
        case "a database":
            known = json.loads(page.read_text())
            del known["databases"]["users"]
            page.write_text(json.dumps(known))
    told = run("restore", str(kept), code=2, DATABASE_URL=fresh)
    assert one_line(told[told.index("Error: ") :]), told
    with pytest.raises(sa.exc.OperationalError):
        rows(fresh, "users", "SELECT 1")


def test_other_versions(run, kept, databases, fresh, one_line, tmp_path):
    """A backup of a newer shop or server, and tools of another version than the server's."""

    def refused(*arguments, **environment):
        told = run(*arguments, code=2, **environment)
        told = told[told.index("Error: ") :]
        assert one_line(told), told
        return told

    page = kept / "backup.json"
    known = json.loads(page.read_text())
    page.write_text(json.dumps(known | {"postgresql": 99}))
    assert "the backup is of PostgreSQL 99" in refused("restore", str(kept), DATABASE_URL=fresh)
    known["databases"]["users"]["revision"] = "9999"
    page.write_text(json.dumps(known))
    assert "newer version of the shop" in refused("restore", str(kept))
    for tool in ("pg_dump", "pg_restore"):
        (tmp_path / tool).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
        (tmp_path / tool).chmod(0o755)
    ours = {"DATABASE_URL": databases}
    told = refused("backup", str(tmp_path / "other"), PG_BIN=str(tmp_path), **ours)
    assert "the tools are not" in told
    assert f"9 in {tmp_path}" in told
    assert "none in" in refused("backup", str(tmp_path / "other"), PG_BIN="/nowhere")


def test_services_that_run(run, kept, fresh, start, one_line):
    """Would write into what is being restored."""
    from users.service import UsersService

    start(UsersService)
    told = run("restore", str(kept), "--replace", "--yes", code=2)
    assert "Error: stop the services first: running: users" in told


def test_somebody_is_connected(run, kept, fresh, one_line):
    """A service whose broker is another one, or a colleague at a prompt."""
    run("restore", str(kept), DATABASE_URL=fresh)
    engine = sa.create_engine(configuration.database_url({"DATABASE_URL": fresh}, "orders"))
    with engine.connect():
        told = run("restore", str(kept), "--replace", "--yes", code=2)
    engine.dispose()
    assert "end the connections first: 1 to the database of orders" in told


def test_a_writer_that_does_not_end(run, kept, databases, tmp_path, monkeypatch, one_line):
    """Nobody is kept waiting for longer than a moment at a time, nor the command for ever."""
    monkeypatch.setattr(snapshot, "_PATIENCE", 1)
    engine = sa.create_engine(configuration.database_url({"DATABASE_URL": databases}, "orders"))
    with engine.connect() as writer:
        writer.execute(sa.text("DELETE FROM checkouts"))
        told = run("backup", str(tmp_path / "other"), code=2)
    engine.dispose()
    assert one_line(told), told
    assert "no quiet moment was found" in told
    assert not (tmp_path / "other").exists()


def test_a_dump_that_fails(run, kept, tmp_path, monkeypatch, one_line):
    """Leaves nothing that could be taken for a backup."""
    fail_after(3, monkeypatch, "pg_dump failed", "disk full")
    told = run("backup", str(tmp_path / "other"), code=2)
    assert "Error: pg_dump failed: disk full" in told
    assert not [path for path in pathlib.Path(tmp_path).iterdir() if "other" in path.name]


def test_interrupted_there_is_no_mixture(run, kept, fresh, monkeypatch):
    """All databases are empty before the first is filled, and a second run completes it."""
    run("restore", str(kept), DATABASE_URL=fresh)
    fail_after(2, monkeypatch, "pg_restore failed", "killed")
    run("restore", str(kept), "--replace", "--yes", code=2)
    there = [
        bool(rows(fresh, package, "SELECT to_regclass('outbox')")[0][0])
        for package in DATABASE_PACKAGES
    ]
    assert there == [True, True, False, False, False]
    run("restore", str(kept), "--replace", "--yes")


def test_without_servers(run, kept, fresh, nowhere, tmp_path, one_line):
    """One line, nothing touched, no password told."""
    new = str(tmp_path / "other")
    for arguments, environment in (
        (("backup", new), {"DATABASE_URL": nowhere.database}),
        (("backup", new), {"DATABASE_URL": "hunter2"}),
        (("restore", str(kept)), {"DATABASE_URL": nowhere.database}),
        (("restore", str(kept)), {"DATABASE_URL": fresh, "AMQP_URI": nowhere.amqp}),
    ):
        told = run(*arguments, code=2, **environment)
        assert one_line(told[told.index("Error: ") :]), told
        assert "hunter2" not in told
