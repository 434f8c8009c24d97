"""What admins do: list, create, promote, delete; over RPC on a real database."""

import uuid

import pytest

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from chassis.identity import Actor, Role
from contracts.users.errors import LastAdmin
from tests.integration.users import people
from tests.integration.users.people import ADDRESS, PASSWORD, SIGN_UP
from users.accounts import commands as account_commands
from users.origin import Origin
from users.sessions import store as session_store


def test_an_admin_may_correct_an_email_address(users, anna, admin):
    """Other people's without a password, the own one not."""
    assert users.update(user_id=anna["id"], email="b@example.com", actor=admin)["email"]
    with pytest.raises(Invalid):
        users.update(user_id=admin["user_id"], email="c@example.com", actor=admin)


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_what_only_admins_may(users, anna, role):
    """Neither customers nor staff create, promote or delete, and customers see no list."""
    actor = {"user_id": anna["id"], "role": role}
    for method, arguments in [
        *([("list", {}), ("list", {"search": "anna"})] if role == "customer" else []),
        ("create", {"email": "x@example.com", "password": PASSWORD, "role": "admin"}),
        ("update", {"user_id": anna["id"], "partial": True, "role": "admin"}),
        ("delete", {"user_id": anna["id"]}),
    ]:
        with pytest.raises(Forbidden):
            getattr(users, method)(**arguments, actor=actor)
    assert users.get(user_id=anna["id"])["role"] == "customer"


def test_creating_and_promoting(users, anna, admin):
    """An admin creates users of any role and changes roles."""
    staff = users.create(
        email="staff@example.com", password=PASSWORD, role="staff", first_name="Sam", actor=admin
    )

    assert (staff["role"], staff["first_name"]) == ("staff", "Sam")
    assert (
        users.update(user_id=anna["id"], partial=True, role="staff", actor=admin)["role"] == "staff"
    )
    assert (
        users.update(user_id=anna["id"], partial=True, role="customer", actor=admin)["role"]
        == "customer"
    )


def test_the_last_admin_stays(users, admin):
    """He can be neither demoted nor deleted, unless there is another one."""
    alone = admin["user_id"]
    for refused in [
        lambda: users.update(user_id=alone, partial=True, role="staff", actor=admin),
        lambda: users.delete(user_id=alone, actor=admin),
    ]:
        with pytest.raises(Conflict) as caught:
            refused()
        assert caught.value.code == "last_admin"
    assert users.update(user_id=alone, partial=True, role="admin", actor=admin)["role"] == "admin"

    users.create(email="second@example.com", password=PASSWORD, role="admin")
    users.delete(user_id=alone, actor=admin)


def test_a_role_and_a_profile_change_together(users, anna, admin):
    """In one transaction: what is refused of one leaves the other alone. Admins only."""
    users.sign_up(email="taken@example.com", password=PASSWORD)
    with pytest.raises(Conflict):
        users.update(
            user_id=anna["id"], partial=True, role="staff", email="taken@example.com", actor=admin
        )
    with pytest.raises(Conflict):
        users.update(
            user_id=admin["user_id"], partial=True, role="staff", first_name="X", actor=admin
        )
    own = {"user_id": anna["id"], "role": "customer"}
    with pytest.raises(Forbidden):
        users.update(user_id=anna["id"], partial=True, role="admin", actor=own)
    assert users.get(user_id=anna["id"]) == anna
    assert users.get(user_id=admin["user_id"])["first_name"] is None

    both = users.update(
        user_id=anna["id"], partial=True, role="staff", first_name="Anna", actor=admin
    )
    assert (both["role"], both["first_name"]) == ("staff", "Anna")


def test_two_admins_cannot_demote_each_other(users, service, admin):
    """While one is being demoted, the demotion of the other waits, and then finds him the last."""
    other = users.create(email="second@example.com", password=PASSWORD, role="admin")["id"]

    def demote(context, user_id):
        account_commands.update(
            context,
            uuid.UUID(user_id),
            partial=True,
            current_password=None,
            version=None,
            actor=Actor.SYSTEM,
            network=None,
            role=Role.CUSTOMER,
        )

    outcome = people.overlap(
        service,
        lambda context: demote(context, other),
        lambda context: demote(context, admin["user_id"]),
    )

    assert isinstance(outcome, LastAdmin), outcome


def test_a_login_cannot_outlive_the_deletion(users, service, anna):
    """A login that meets the deletion of its user waits for it, and then finds nobody."""
    user_id = uuid.UUID(anna["id"])
    ((stored,),) = people.rows(service, "SELECT password_hash FROM users")

    def sign_in(context):
        with context.db.begin() as session:
            return session_store.start(context, session, user_id, stored, Origin())

    outcome = people.overlap(
        service,
        lambda context: account_commands.delete(context, user_id, Actor.SYSTEM, None),
        sign_in,
    )

    assert outcome is None


def test_deleting(users, service, anna, admin):
    """Nothing personal is left but the id, the sessions are over, and the name is free again."""
    users.add_address(user_id=anna["id"], **ADDRESS)
    tokens = users.login(email="anna@example.com", password=PASSWORD)

    assert len(users.delete(user_id=anna["id"], actor=admin)["ended"]) == 1

    kept = "SELECT email, username, first_name, phone, password_hash FROM users WHERE id = :id"
    assert people.rows(service, kept, id=anna["id"]) == [(None,) * 5]
    assert people.rows(
        service,
        "SELECT (SELECT count(*) FROM addresses), (SELECT count(*) FROM sessions),"
        " (SELECT count(*) FROM refresh_tokens)",
    ) == [(0, 0, 0)]
    with pytest.raises(NotFound):
        users.get(user_id=anna["id"])
    with pytest.raises(NotFound):
        users.delete(user_id=anna["id"], actor=admin)
    with pytest.raises(Unauthenticated):
        users.refresh(refresh_token=tokens["refresh_token"])
    with pytest.raises(Unauthenticated):
        users.login(email="anna@example.com", password=PASSWORD)
    assert anna["id"] != users.sign_up(**SIGN_UP)["id"]


def test_contacts_of_many(users, anna, admin):
    """Of each user who is there the address, once it is confirmed, and the phone, and nothing else;
    a hundred at most."""
    users.update(user_id=anna["id"], phone="+43 1 234567", partial=True, actor=admin)
    new = users.sign_up(email="new@example.com", password=PASSWORD)["id"]
    gone = users.sign_up(email="gone@example.com", password=PASSWORD)["id"]
    users.delete(user_id=gone, actor=admin)
    asked = [anna["id"], admin["user_id"], new, gone, anna["id"], str(uuid.uuid4())]
    found, no_phone = users.contacts(user_ids=asked)["items"], {"phone": None}
    assert sorted(found, key=lambda contact: contact["email"] or "") == [
        {"id": new, "email": None, "email_verified": False, "phone": None},
        {"id": admin["user_id"], "email": "admin@example.com", "email_verified": True} | no_phone,
        {"id": anna["id"], "email": "anna@example.com", "email_verified": True}
        | {"phone": "+431234567"},
    ]
    assert users.contacts(user_ids=[]) == {"items": []}
    with pytest.raises(Invalid):
        users.contacts(user_ids=[anna["id"]] * 101)


def test_the_list(users, service, admin):
    """Newest first, page by page, without gaps or repeats while people come and go."""
    ids = [users.sign_up(email=f"user{n}@example.com", password=PASSWORD)["id"] for n in range(5)]

    first = users.list(limit=2, actor=admin)
    users.sign_up(email="late@example.com", password=PASSWORD)
    users.delete(user_id=ids[4], actor=admin)
    second = users.list(limit=2, cursor=first["next"], actor=admin)
    third = users.list(limit=2, cursor=second["next"], actor=admin)

    pages = [[user["id"] for user in page["items"]] for page in (first, second, third)]
    assert [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0], admin["user_id"]]] == pages
    assert third["next"] is None
    assert "password_hash" not in first["items"][0]


@pytest.mark.parametrize(
    ("search", "found"),
    [("BERG", ["anna@example.com"]), ("anna@ex", ["anna@example.com"]), ("%", []), ("_", [])],
)
def test_searching_the_list(users, anna, admin, search, found):
    """A part of a name or address in any case; SQL's wildcards mean themselves."""
    users.update(user_id=anna["id"], partial=True, last_name="Berg")

    page = users.list(search=search, actor=admin)

    assert found == [user["email"] for user in page["items"]]


@pytest.mark.parametrize(
    "search",
    ["Zdenka Nováková", "Nováková, Zdenka", "novakova", "ZDENKA", "zdenka shop", "ovak den",
     "z n", "zdenka.nov", "Zdeňka", "603 111",
     '"Zdenka" <zn@shop.example.com>'],
)  # fmt: skip
def test_each_word_is_found_in_any_column(users, admin, search):
    """First and last name together, in any order; accents and capitals do not matter."""
    users.sign_up(email="other@example.com", password=PASSWORD, first_name="Zdenka")
    her = users.sign_up(
        email="zn@shop.example.com", username="zdenka.nov", password=PASSWORD,
        first_name="Zdenka", last_name="Nováková", phone="+420 603 111 222",
    )  # fmt: skip
    found = [user["id"] for user in users.list(search=search, actor=admin)["items"]]
    assert her["id"] in found
    if len(search.split()) > 1:
        assert found == [her["id"]]


@pytest.mark.parametrize(
    ("last_name", "search"),
    [("Łukasiewicz", "lukasiewicz"), ("Straße", "STRASSE"), ("O\u2019Brien", "o'brien"),
     ("O'Brien", "obrien"), ("Ørsted", "orsted"), ("Þórsson", "thorsson"), ("Čapek", "capek"),
     ("Capek", "Čapek"), ("Иванова", "ИВАНОВА"), ("Ng", "ng"), ("山田", "山田"),
     ("\uff21\uff42\uff45", "abe")],
)  # fmt: skip
def test_names_are_found_as_others_type_them(users, admin, last_name, search):
    """By neighbours' letters, with another apostrophe, in two letters."""
    her = users.sign_up(email="a@example.com", password=PASSWORD, last_name=last_name)
    assert [her["id"]] == [user["id"] for user in users.list(search=search, actor=admin)["items"]]
    assert users.find(search=search, limit=5) == {"items": [{"id": her["id"]}]}


@pytest.mark.parametrize("search", ["nova x", "%", "_", "\\", "xx", "akovazd", ", ;", "' or 1=1"])
def test_what_finds_nobody(users, admin, search):
    """All words have to be there, and what is no word is not everybody."""
    users.sign_up(
        email="zn@example.com", password=PASSWORD, first_name="Zdenka", last_name="Nováková"
    )
    assert users.list(search=search, actor=admin)["items"] == []


def test_staff_look_people_up(users, anna):
    """They say whom they look for; a deleted user is not found."""
    staff = {"user_id": people.UNKNOWN, "role": "staff"}
    (found,) = users.list(search="anna", actor=staff)["items"]
    assert (found["id"], found["email"]) == (anna["id"], "anna@example.com")
    for refused in ({}, {"role": "admin"}):
        with pytest.raises(Invalid) as unsaid:
            users.list(actor=staff, **refused)
        assert "search" in unsaid.value.errors
    users.delete(user_id=anna["id"])
    assert users.list(search="anna", actor=staff)["items"] == []
    assert users.find(search="anna", limit=5) == {"items": []}


def test_filtering_the_list_by_role(users, anna, admin):
    """Only those with the role."""
    page = users.list(role="admin", actor=admin)

    assert [user["email"] for user in page["items"]] == ["admin@example.com"]


def test_a_cursor_that_is_none_of_ours(users):
    """Invalid, and no database error."""
    with pytest.raises(Invalid):
        users.list(cursor="bm9uc2Vuc2U")
