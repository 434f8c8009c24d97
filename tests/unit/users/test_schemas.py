"""What `users` lets in, and what it lets out."""

import datetime
import uuid

import pytest
from marshmallow import ValidationError

from chassis.identity import Actor, Role
from users import schemas

UID = "11111111-2222-4333-8444-555555555555"
ACCOUNT = {"email": "anna@example.com", "password": "correct horse"}
ADDRESS = {"line1": "Main St 1", "city": "Graz", "postal_code": "8010", "country": "AT"}


def faults(schema, **data):
    """The fields that `schema` refuses."""
    with pytest.raises(ValidationError) as caught:
        schema().load(data)
    return set(caught.value.normalized_messages())


def test_the_least_one_can_sign_up_with():
    """E-mail address and password; no profile field is made up."""
    loaded = schemas.SignUp().load(ACCOUNT)

    assert loaded == ACCOUNT | {"address": None, "network": None}


def test_all_one_can_sign_up_with():
    """The profile and a first address."""
    profile = {"username": "anna.b", "first_name": " Anna ", "last_name": "Berg"}
    loaded = schemas.SignUp().load(
        ACCOUNT | profile | {"phone": "+43 316 / 12-34", "address": ADDRESS}
    )

    assert loaded["first_name"] == "Anna"
    assert loaded["address"] == ADDRESS | {"line2": None, "region": None}


@pytest.mark.parametrize("field", ["role", "id", "is_admin", "password_hash", "created_at"])
def test_nobody_gives_himself_a_role(field):
    """Unknown fields are refused, not ignored."""
    assert {field} == faults(schemas.SignUp, **ACCOUNT, **{field: "admin"})
    if field != "role":
        assert {field} == faults(schemas.Update, user_id=UID, actor="system", **{field: "admin"})


@pytest.mark.parametrize(
    "email",
    ["", "anna", "anna@", "@example.com", "a b@example.com", "anna@example", "anna@@example.com",
     "anna@exa mple.com", "ann\0a@example.com", "anna@example.com\nBcc: x@example.com", 7, None,
     ["anna@example.com"], "a" * 65 + "@example.com", "x" * 300 + "@example.com", "\ud800@x.com",
     "änna@example.com"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_email_address(email):
    """The form is checked, nobody is asked."""
    assert {"email"} == faults(schemas.SignUp, email=email, password="correct horse")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Anna.Berg@Example.COM ", "Anna.Berg@example.com"),
        ("anna+shop@example.com", "anna+shop@example.com"),
        ("anna@bücher.example.com", "anna@xn--bcher-kva.example.com"),
    ],
)
def test_an_email_address_gets_one_form(given, kept):
    """Trimmed, the domain in lower case and ASCII."""
    assert kept == schemas.SignUp().load({**ACCOUNT, "email": given})["email"]


@pytest.mark.parametrize(
    "password",
    ["", "short7!", "x9" * 65, "password", "anna@example.com", "with\0nul-inside", "line\nfeed-x",
     "\ud800\ud800 surrogate", 12345678, None, ["correct horse"]],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_password(password):
    """8 to 128 characters, none of them control characters, not easy to guess."""
    assert {"password"} == faults(schemas.SignUp, email="anna@example.com", password=password)


def test_a_password_is_taken_as_typed():
    """Spaces at the ends belong to it; one Unicode form, so that every keyboard types the same."""
    load = schemas.SignUp().load

    assert load({**ACCOUNT, "password": "  two spaces  "})["password"] == "  two spaces  "
    assert load({**ACCOUNT, "password": "cafe\u0301 au lait"})["password"] == "caf\u00e9 au lait"


@pytest.mark.parametrize("username", ["ab", "a" * 33, "anna@home", "ännchen", "a b c", ".anna", ""])
def test_what_is_no_user_name(username):
    """No @ and nothing that looks like something else."""
    assert {"username"} == faults(schemas.SignUp, **ACCOUNT, username=username)


@pytest.mark.parametrize("phone", ["abc", "12", "+", "1" * 40, "+43 <script>", "١٢٣٤٥٦"])
def test_what_is_no_phone_number(phone):
    """Digits, with the signs that people put between them."""
    assert {"phone"} == faults(schemas.SignUp, **ACCOUNT, phone=phone)


@pytest.mark.parametrize(
    ("field", "value"),
    [("country", "at"), ("country", "XX"), ("country", "Austria"), ("country", None),
     ("line1", ""), ("line1", "   "), ("line1", "x" * 201), ("city", None),
     ("postal_code", "1" * 21), ("region", "\x00"), ("planet", "Earth")],
)  # fmt: skip
def test_what_is_no_address(field, value):
    """Bounded texts, a real country, nothing else."""
    assert {field} == faults(schemas.AddAddress, user_id=UID, **(ADDRESS | {field: value}))


@pytest.mark.parametrize("country", ["AT", "DE", "GB", "US"])
def test_countries(country):
    """ISO 3166-1 alpha-2."""
    loaded = schemas.AddAddress().load({"user_id": UID, **ADDRESS, "country": country})

    assert country == loaded["country"]
    assert loaded["default"] is None


def test_one_logs_in_by_either_name():
    """The e-mail address or the user name, exactly one."""
    load = schemas.Credentials().load

    assert load({"email": "a@b.co", "password": "x"}) == {
        "name": {"email": "a@b.co"},
        "password": "x",
        "network": None,
    }
    assert load({"username": "anna", "password": "x"}) == {
        "name": {"username": "anna"},
        "password": "x",
        "network": None,
    }
    assert {"email"} == faults(schemas.Login, password="x")
    assert {"email"} == faults(schemas.Login, email="a@b.co", username="anna", password="x")
    assert {"password"} == faults(schemas.Login, email="a@b.co", password="x" * 129)


def test_a_change_keeps_absent_and_empty_apart():
    """What is not given is not there; null means empty."""
    change = {"user_id": UID, "first_name": None, "partial": True, "actor": "system"}
    loaded = schemas.Update().load(change)

    assert loaded["first_name"] is None
    assert "last_name" not in loaded
    assert {"email"} == faults(schemas.Update, user_id=UID, email=None, actor="system")


def test_an_absent_actor_is_nobody():
    """And so is a malformed one; the system is named."""
    assert schemas.Delete().load({"user_id": UID, "actor": "system"})["actor"] == Actor.SYSTEM
    assert {"actor"} == faults(schemas.Delete, user_id=UID)
    assert {"actor"} == faults(schemas.Delete, user_id=UID, actor={"role": "admin"})


@pytest.mark.parametrize("role", ["system", "root", "Admin", "", None, 1])
def test_what_is_no_role(role):
    """Customer, staff, admin."""
    assert {"role"} == faults(schemas.SetRole, user_id=UID, role=role, actor="system")


def test_answers_go_by_a_list():
    """The hash, and whatever comes to the table later, stays inside."""
    row = {
        "id": uuid.UUID(UID), "email": "anna@example.com", "username": None, "first_name": "Anna",
        "last_name": None, "phone": None, "role": Role.CUSTOMER, "password_hash": "$argon2id$...",
        "created_at": datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC), "deleted_at": None,
        "version": 3,
    }  # fmt: skip

    assert schemas.User().dump(row) == {
        "id": UID, "email": "anna@example.com", "username": None, "first_name": "Anna",
        "last_name": None, "phone": None, "role": "customer",
        "created_at": "2026-03-01T00:00:00+00:00", "version": 3,
    }  # fmt: skip


def test_the_event_names_the_user_and_nothing_else():
    """No e-mail address on the wire."""
    assert schemas.UserRegistered().dump({"user_id": uuid.UUID(UID)}) == {"user_id": UID}
