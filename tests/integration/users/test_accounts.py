"""Signing up and profiles, over RPC on a real database."""

import eventlet
import pytest

from chassis.errors import Conflict, Invalid, NotFound
from tests.integration.users import people
from tests.integration.users.people import ADDRESS, PASSWORD, SIGN_UP, UNKNOWN


def test_signing_up(users, service):
    """The answer is the new customer; the hash stays inside, and is argon2id by OWASP's floor."""
    profile = {"first_name": "Anna", "last_name": "Berg", "phone": "+431234567"}

    user = users.sign_up(**SIGN_UP, **profile)

    created_at, user_id = user.pop("created_at"), user.pop("id")
    assert {
        "email": "anna@example.com",
        "email_verified": False,
        "pending_email": None,
        "username": "anna",
        "role": "customer",
        "version": 1,
        **profile,
    } == user
    assert created_at.endswith("+00:00")
    assert {**user, "id": user_id, "created_at": created_at} == users.get(user_id=user_id)
    ((stored,),) = people.rows(service, "SELECT password_hash FROM users")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_signing_up_is_told_to_everyone(users, service):
    """The events are in the outbox with the account, and name nothing but ids."""
    user = users.sign_up(**SIGN_UP)

    first, second = people.rows(service, "SELECT source, type, payload FROM outbox ORDER BY id")

    assert ("users", "user_registered", {"user_id": user["id"]}) == first
    assert second[1] == "email_verification_requested"
    assert set(second[2]) == {"verification_id", "user_id"}


def test_signing_up_with_an_address(users):
    """It becomes the default one."""
    user = users.sign_up(**SIGN_UP, address=ADDRESS)

    address = users.default_address(user_id=user["id"])
    assert ADDRESS | {"default": True, "id": address["id"], "version": 1} == address


@pytest.mark.parametrize(
    ("account", "field"),
    [
        ({"email": "ANNA@Example.com"}, "email"),
        ({"email": "other@example.com", "username": "ANNA"}, "username"),
    ],
)
def test_email_address_and_user_name_are_unique_in_any_case(anna, users, service, account, field):
    """The second one gets a conflict that names the field; nothing of it is kept."""
    with pytest.raises(Conflict) as caught:
        users.sign_up(password=PASSWORD, **account)

    assert ("already_exists", {"field": field}) == (caught.value.code, caught.value.data)
    assert people.rows(
        service, "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM outbox)"
    ) == [(1, 1)]


def test_many_sign_ups_at_once_with_one_address(users, service):
    """One wins, the others get a conflict."""

    def sign_up(case):
        try:
            return users.sign_up(email=case, password=PASSWORD)["id"]
        except Conflict as conflict:
            return conflict.code

    cases = ["anna@example.com", "Anna@example.com", "ANNA@EXAMPLE.COM"] * 3
    answers = [thread.wait() for thread in [eventlet.spawn(sign_up, case) for case in cases]]

    assert answers.count("already_exists") == 8
    assert people.rows(service, "SELECT count(*) FROM users") == [(1,)]


@pytest.mark.parametrize("password", ["short", "password", "anna@example.com", "x9" * 65])
def test_weak_passwords(users, password):
    """They are named as the field's fault, and never repeated in the answer."""
    with pytest.raises(Invalid) as caught:
        users.sign_up(email="anna@example.com", password=password)

    assert list(caught.value.errors) == ["password"]
    assert password not in repr(caught.value.errors["password"])


def test_unknown_users(users):
    """Not found, whatever is asked of them."""
    for method, arguments in [
        ("get", {}),
        ("update", {"first_name": "X"}),
        ("update", {"email": "x@example.com"}),
        ("update", {"partial": True, "role": "staff"}),
        ("delete", {}),
        ("add_address", ADDRESS),
        ("default_address", {}),
    ]:
        with pytest.raises(NotFound):
            getattr(users, method)(user_id=UNKNOWN, **arguments)


def test_changing_a_part_of_the_profile(users, anna):
    """What is not given stays."""
    changed = users.update(user_id=anna["id"], partial=True, first_name="Anne", phone=None)

    assert anna | {"first_name": "Anne", "version": 2} == changed == users.get(user_id=anna["id"])


def test_writing_the_whole_profile(users, anna):
    """What is not given becomes empty, except the e-mail address."""
    changed = users.update(user_id=anna["id"], last_name="Berg", current_password=PASSWORD)

    assert anna | {"username": None, "last_name": "Berg", "version": 2} == changed


def test_taking_somebody_elses_name(users, anna):
    """A change meets the same conflict as a sign-up."""
    users.sign_up(email="ben@example.com", username="ben", password=PASSWORD)

    for profile, field in [
        ({"username": "BEN"}, "username"),
        ({"email": "Ben@example.com"}, "email"),
    ]:
        with pytest.raises(Conflict) as caught:
            users.update(user_id=anna["id"], partial=True, current_password=PASSWORD, **profile)
        assert ("already_exists", field) == (caught.value.code, caught.value.data["field"])


def test_a_new_email_address_needs_the_password(users, anna):
    """A stolen access token is not enough to take an account over."""
    change = {"user_id": anna["id"], "partial": True, "email": "new@example.com"}
    own = {"user_id": anna["id"], "role": "customer"}

    for wrong in [{}, {"current_password": "wrong horse"}, {"actor": own}]:
        with pytest.raises(Invalid) as caught:
            users.update(**change, **wrong)
        assert list(caught.value.errors) == ["current_password"]
    changed = users.update(**change, current_password=PASSWORD)
    assert changed["pending_email"] == "new@example.com"
    assert users.update(**change | {"email": "ANNA@example.com"})  # in another case: no change


@pytest.mark.parametrize(
    ("written", "profile", "kept"),
    [
        ("(555) 123-4567", {}, "+15551234567"),
        ("0316 123456", {"address": ADDRESS}, "+43316123456"),
        ("+44 20 7946 0958", {"address": ADDRESS}, "+442079460958"),
    ],
)
def test_a_phone_number_is_of_the_country_of_its_owner(users, written, profile, kept):
    """Else of the shop's; it is kept as E.164."""
    user = users.sign_up(**SIGN_UP, phone=written, **profile)
    assert user["phone"] == kept
    again = users.update(user_id=user["id"], partial=True, phone=written)
    assert again["phone"] == kept


def test_an_impossible_phone_number_is_refused_in_words(users):
    """The error says what to write, and nothing of what was written."""
    with pytest.raises(Invalid) as refused:
        users.sign_up(**SIGN_UP, phone="1234567890123456")
    assert "country code" in refused.value.errors["phone"][0]
    assert "1234567890" not in str(refused.value.errors)


def test_an_international_address_is_the_same_at_every_door(users, admin):
    """However its domain is written: at sign-up, login, search and when it is changed."""
    user = users.sign_up(email="u@b\u00fccher.example", password=PASSWORD)
    for written in (
        "U@B\u00dcCHER.example",
        "u@xn--bcher-kva.example",
        "u@b\u00fccher\u3002example",
    ):
        assert users.verify_credentials(email=written, password=PASSWORD)["id"] == user["id"]
        found = users.list(search=written, actor=admin)["items"]
        assert [one["id"] for one in found] == [user["id"]]
        with pytest.raises(Conflict):
            users.sign_up(email=written, password=PASSWORD)
    assert len(users.list(search="b\u00fccher.example", actor=admin)["items"]) == 1


@pytest.mark.parametrize(
    "change",
    [{"phone": "+43 1 234567"}, {"username": "ann"}, {"username": None}],
    ids=repr,
)
def test_how_one_signs_in_or_is_reached_needs_the_password(users, anna, admin, change):
    """A stolen access token changes neither user name nor phone number; what stays as it is, the
    name, and an admin's correction of somebody else's need none."""
    own = {"user_id": anna["id"], "role": "customer"}
    for guard in [{}, {"current_password": "wrong horse"}]:
        with pytest.raises(Invalid) as caught:
            users.update(user_id=anna["id"], partial=True, actor=own, **change, **guard)
        assert list(caught.value.errors) == ["current_password"]
    assert users.get(user_id=anna["id"]) == anna
    guarded = {"current_password": PASSWORD, "actor": own}
    assert users.update(user_id=anna["id"], partial=True, **change, **guarded)
    assert users.update(user_id=anna["id"], partial=True, actor=own, **change, first_name="Ann")
    assert users.update(user_id=anna["id"], partial=True, actor=admin, username="anna")


def test_a_profile_without_the_user_name_empties_it_with_the_password_only(users, anna):
    """PUT is no way around."""
    with pytest.raises(Invalid):
        users.update(user_id=anna["id"], last_name="Berg")
    assert users.get(user_id=anna["id"]) == anna


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize(
    ("column", "stored"),
    [
        ("phone", "+43123"),
        ("phone", "12345-6"),
        ("email", "j\u00fcrgen@example.com"),
        ("email", "anna@b\u00fccher.example"),  # the folded form was somebody else's
    ],
)
def test_what_was_taken_once_stays(users, service, anna, column, stored, partial):
    """A number or an address of before today's rules stands in the way of no other change; only
    another one has to follow them."""
    people.rows(service, f"UPDATE users SET {column} = :stored RETURNING 1", stored=stored)
    own = {"user_id": anna["id"], "role": "customer"}
    whole = {"username": "anna", "last_name": "Berg", column: stored}

    changed = users.update(user_id=anna["id"], partial=partial, actor=own, **whole)

    assert (changed[column], changed["last_name"]) == (stored, "Berg")
    other = {"phone": "+43 1", "email": "j\u00fcrgen@example.org"}[column]
    with pytest.raises(Invalid) as refused:
        users.update(user_id=anna["id"], partial=True, current_password=PASSWORD, **{column: other})
    assert list(refused.value.errors) == [column]
