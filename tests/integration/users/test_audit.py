"""The audit trail: what is written, that nobody changes it, and who may read it."""

import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, Invalid, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users.audit import commands as audit

EMAIL = people.SIGN_UP["email"]
HOME = {"network": "203.0.113.77"}


@pytest.fixture
def trail(users, admin):
    """`trail(action="signed_in")`: the entries that an admin sees, the newest first."""
    return lambda **wanted: users.list_audit(actor=admin, **wanted)["items"]


def test_an_entry_says_who_what_whom_whence_and_in_which_request(call, users, anna, admin, trail):
    """A promotion, for one."""
    asking = call.with_data(request_id="request-1").users
    asking.update(user_id=anna["id"], partial=True, role="staff", actor=admin, **HOME)

    (entry,) = trail(action="role_changed")

    assert {name: value for name, value in entry.items() if name not in ("id", "at")} == {
        "action": "role_changed",
        "user_id": anna["id"],
        "actor_id": admin["user_id"],
        "actor_role": "admin",
        "network": "203.0.113.0/24",
        "client": None,
        "request_id": "request-1",
        "target": None,
        "target_id": None,
        "detail": {"old": "customer", "new": "staff"},
    }


def test_everything_about_accounts_is_there(users, anna, admin, trail, clock, service):
    """In the order in which it happened, each with who did it; `system` for operators."""
    me = {"user_id": anna["id"], "role": "customer"}
    with pytest.raises(Unauthenticated):
        users.login(email=EMAIL, password="wrong horse", **HOME)
    first = users.login(email=EMAIL, password=PASSWORD, **HOME)
    users.refresh(refresh_token=first["refresh_token"])
    clock.advance(seconds=11)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=first["refresh_token"])
    second = users.login(email=EMAIL, password=PASSWORD)
    users.logout(refresh_token=second["refresh_token"])
    users.change_password(
        user_id=anna["id"], current_password=PASSWORD, new_password="staple battery"
    )
    users.update(
        user_id=anna["id"], partial=True, email="new@example.com",
        current_password="staple battery", actor=me,
    )  # fmt: skip
    asked = "SELECT payload FROM outbox WHERE type = 'email_verification_requested' ORDER BY id"
    *_, (mail,) = people.rows(service, asked)
    token = users.issue_verification_token(verification_id=mail["verification_id"])["token"]
    users.verify_email(token=token)
    users.update(user_id=anna["id"], partial=True, first_name="Anna", actor=admin)
    users.update(user_id=anna["id"], partial=True, role="staff")
    users.end_sessions(user_id=anna["id"], actor=admin)
    users.delete(user_id=anna["id"], actor=admin)

    entries = [(one["action"], one["actor_role"]) for one in trail(user_id=anna["id"])][::-1]

    assert entries == [
        ("user_created", "system"),
        ("sign_in_failed", None),
        ("signed_in", "customer"),
        ("refresh_token_reused", None),
        ("signed_in", "customer"),
        ("signed_out", "customer"),
        ("password_changed", "customer"),
        ("email_changed", "customer"),
        ("account_changed", "admin"),
        ("account_changed", "system"),
        ("role_changed", "system"),
        ("sessions_ended", "admin"),
        ("user_deleted", "admin"),
    ]
    assert [one["action"] for one in trail(actor_id=admin["user_id"])] == [
        "user_deleted", "sessions_ended", "account_changed",
    ]  # fmt: skip
    assert trail(action="user_created")[0]["user_id"] == admin["user_id"]


def test_a_confirmed_address_is_there(users, admin, trail, service):
    """Whether its owner confirmed it, or an admin or operator answered for it; once."""
    ben = users.sign_up(email="ben@example.com", password=PASSWORD)["id"]
    carl = users.sign_up(email="carl@example.com", password=PASSWORD)["id"]
    asked = "SELECT payload FROM outbox WHERE type = 'email_verification_requested' ORDER BY id"
    *_, (mail,) = people.rows(service, asked)
    token = users.issue_verification_token(verification_id=mail["verification_id"])["token"]
    users.verify_email(token=token, **HOME)
    for actor in (admin, "system"):
        users.mark_email_verified(user_id=ben, actor=actor)

    entries = trail(action="email_verified")

    assert [(one["user_id"], one["actor_id"], one["network"]) for one in entries] == [
        (ben, admin["user_id"], None),
        (carl, carl, "203.0.113.0/24"),
    ]


def test_what_did_not_happen_is_not_there(users, anna, admin, trail):
    """An entry stands or falls with its transaction."""
    with pytest.raises(Exception, match="already_exists"):
        users.update(user_id=anna["id"], partial=True, email="admin@example.com", actor=admin)
    with pytest.raises(Exception, match="last_admin"):
        users.delete(user_id=admin["user_id"], actor=admin)
    users.update(user_id=anna["id"], partial=True, role="customer", actor=admin)
    assert {one["action"] for one in trail()} == {
        "account_changed", "user_created",
    }  # fmt: skip


def test_who_is_nobody_leaves_no_entry(users, anna, trail):
    """A guess at a name that does not exist is no account's; what is written takes as long."""
    with pytest.raises(Unauthenticated):
        users.login(email="nobody@example.com", password=PASSWORD)
    assert trail(action="sign_in_failed") == []


def test_nothing_personal_is_in_it(users, anna, admin, service, logged):
    """Neither in the table nor in the log: ids, and networks without their last part."""
    users.update(
        user_id=anna["id"], partial=True, first_name="Annabel", email="secret@example.com",
        actor=admin, **HOME,
    )  # fmt: skip
    users.login(email=EMAIL, password=PASSWORD, **HOME)
    stored = str(people.rows(service, "SELECT row_to_json(a)::text FROM audit_entries a"))
    lines = [line for line in logged if "'event': 'audit'" in line]
    assert any(anna["id"] in line and "signed_in" in line for line in lines)
    for word in ("example.com", "Annabel", "203.0.113.77", PASSWORD):
        assert word not in stored
        assert word not in str(lines)
    assert "203.0.113" not in str(lines)


def test_the_log_tells_ids_as_people_write_them(users, anna, logged):
    """As the answers have them, so that one can be looked for in both."""
    users.login(email=EMAIL, password=PASSWORD)
    (line,) = [line for line in logged if "'event': 'audit'" in line and "signed_in" in line]
    assert f"'user_id': '{anna['id']}', 'actor_id': '{anna['id']}'" in line


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ],
)
def test_the_database_refuses_changes(service, anna, statement):
    """Whoever writes the statement."""
    with pytest.raises(sa.exc.DBAPIError, match="never changed"):
        people.rows(service, statement)


def test_old_entries_are_forgotten(service, anna):
    """After the retention, of which the database grants no less than ninety days."""
    now = datetime.datetime.now(datetime.UTC)
    insert = (
        "INSERT INTO audit_entries (at, action, detail) VALUES (:at, 'signed_in', '{}') RETURNING 1"
    )
    for days in (89, 91, 400):
        people.rows(service, insert, at=now - datetime.timedelta(days=days))

    def left(retention_days):
        with people.database(service) as connection:
            retention = datetime.timedelta(days=retention_days)
            audit.purge(Session(connection), now, retention)
        return people.rows(service, "SELECT count(*) FROM audit_entries WHERE action = 'signed_in'")

    assert left(365) == [(2,)]
    assert left(1) == [(1,)]


def test_an_entry_of_another_release_is_read_as_it_was_written(service, trail):
    """Also when its words are none of ours."""
    insert = (
        "INSERT INTO audit_entries (at, action, target, target_id, detail)"
        " VALUES (now(), 'gift_sent', 'gift', '1', '{}') RETURNING 1"
    )
    people.rows(service, insert)
    (entry,) = trail(target_id="1")
    assert (entry["action"], entry["target"]) == ("gift_sent", "gift")


def test_the_trail_is_paged(users, anna, admin):
    """Each entry once, the newest first, whatever is written meanwhile."""
    for _ in range(5):
        users.update(user_id=anna["id"], partial=True, first_name="A", actor=admin)
    seen, cursor = [], None
    while True:
        page = users.list_audit(actor=admin, limit=2, cursor=cursor)
        seen += [one["id"] for one in page["items"]]
        users.update(user_id=anna["id"], partial=True, first_name="B", actor=admin)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 7
    with pytest.raises(Invalid):
        users.list_audit(actor=admin, cursor="garbage")


def test_the_trail_is_filtered_by_time(users, anna, trail, clock):
    """From a moment on, and before another."""
    clock.advance(hours=1)
    users.login(email=EMAIL, password=PASSWORD)
    between = clock()
    clock.advance(hours=1)
    users.login(email=EMAIL, password=PASSWORD)
    assert len(trail(action="signed_in", until=between)) == 1
    assert len(trail(action="signed_in", since=between)) == 1
    assert trail(action="signed_in", since=between, until=between) == []


def test_only_admins_read_it(users, anna):
    """Staff do not."""
    with pytest.raises(Forbidden):
        users.list_audit(actor={"user_id": anna["id"], "role": "staff"})


def test_users_see_who_signed_in_as_them(users, anna):
    """And who tried to; nobody else's."""
    with pytest.raises(Unauthenticated):
        users.login(email=EMAIL, password="wrong horse", network="198.51.100.9")
    users.login(email=EMAIL, password=PASSWORD, user_agent="curl/8.5", **HOME)
    users.sign_up(email="ben@example.com", password=PASSWORD)
    users.login(email="ben@example.com", password=PASSWORD)

    page = users.list_sign_ins(user_id=anna["id"], limit=1)
    rest = users.list_sign_ins(user_id=anna["id"], limit=1, cursor=page["next"])

    (newest,), (oldest,) = page["items"], rest["items"]
    assert (newest["succeeded"], newest["network"], newest["client"]) == (
        True, "203.0.113.0/24", "curl",
    )  # fmt: skip
    assert (oldest["succeeded"], oldest["network"]) == (False, "198.51.100.0/24")
    assert rest["next"] is None
    assert set(newest) == {"at", "succeeded", "network", "client"}
