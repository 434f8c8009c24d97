"""What an installation with data becomes."""

import sqlalchemy as sa
from alembic import command

from tests.support import earlier_installation

ROW = sa.text(
    "INSERT INTO users (id, email, username, password_hash, role, created_at, version)"
    " VALUES (gen_random_uuid(), :email, :name, 'x', 'customer', :at, 1)"
)
#: Whose address was kept in which form, and what becomes of it.
PEOPLE = {
    "ann": ("ann@b\u00fccher.example", "ann@xn--bcher-kva.example"),
    "bob": ("Bob@EXAMPLE.com", "Bob@example.com"),
    "cat": ("cat@example.com", "cat@example.com"),
    "dan": ("dan@xn--bcher-kva.example", "dan@xn--bcher-kva.example"),
    "eve": ("dan@b\u00fccher.example", "dan@b\u00fccher.example"),
    "fox": ("fox\uff20b\u00fccher\u3002example", "fox@xn--bcher-kva.example"),
}


def test_addresses_are_folded_and_nobody_loses_one(servers):
    """Those that somebody else has in the folded form stay. Postal addresses keep what they have,
    and may lack more than before."""
    with earlier_installation(servers, "users") as (engine, alembic):
        command.upgrade(alembic, "0002")
        with engine.begin() as connection:
            for day, (who, (email, _)) in enumerate(PEOPLE.items(), 1):
                at = f"2026-01-0{day}T00:00:00Z"
                connection.execute(ROW, {"email": email, "name": who, "at": at})
            connection.execute(
                sa.text(
                    "INSERT INTO addresses SELECT gen_random_uuid(), id, 'Main St 1', NULL, 'Graz',"
                    " NULL, '8010', 'AT', true, created_at, 1 FROM users WHERE username = 'ann'"
                )
            )
        command.upgrade(alembic, "0004")
        with engine.begin() as connection:
            found = connection.execute(sa.text("SELECT username, email FROM users"))
            assert dict(map(tuple, found)) == {who: new for who, (_, new) in PEOPLE.items()}
            kept = "SELECT line1, city, postal_code, name, company, phone FROM addresses"
            assert connection.execute(sa.text(kept)).one() == (
                "Main St 1", "Graz", "8010", None, None, None
            )  # fmt: skip
            connection.execute(sa.text("UPDATE addresses SET city = NULL, postal_code = NULL"))
        command.downgrade(alembic, "0002")
        with engine.begin() as connection:
            kept = connection.execute(sa.text("SELECT city, postal_code FROM addresses")).one()
            assert kept == ("", "")
