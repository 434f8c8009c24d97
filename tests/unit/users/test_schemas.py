"""What `users` lets in, and what it lets out."""

import datetime
import uuid

import pytest
from marshmallow import ValidationError

from chassis import phones
from chassis.identity import Actor, Role
from contracts.users import answers, requests
from contracts.users.events import UserEvent

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
    loaded = requests.SignUp().load(ACCOUNT)

    assert loaded == ACCOUNT | {"network": None}


def test_all_one_can_sign_up_with():
    """The profile and a first address."""
    profile = {"username": "anna.b", "first_name": " Anna ", "last_name": "Berg"}
    loaded = requests.SignUp().load(
        ACCOUNT | profile | {"phone": "+43 316 / 12-34", "address": ADDRESS}
    )

    assert loaded["first_name"] == "Anna"
    assert loaded["address"] == ADDRESS | {"line2": None, "region": None}


@pytest.mark.parametrize("field", ["role", "id", "is_admin", "password_hash", "created_at"])
def test_nobody_gives_himself_a_role(field):
    """Unknown fields are refused, not ignored."""
    assert {field} == faults(requests.SignUp, **ACCOUNT, **{field: "admin"})
    if field != "role":
        assert {field} == faults(requests.Update, user_id=UID, actor="system", **{field: "admin"})


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
    assert {"email"} == faults(requests.SignUp, email=email, password="correct horse")


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
    assert kept == requests.SignUp().load({**ACCOUNT, "email": given})["email"]


@pytest.mark.parametrize(
    "password",
    ["", "short7!", "x9" * 65, "with\0nul-inside", "line\nfeed-x",
     "\ud800\ud800 surrogate", 12345678, None, ["correct horse"]],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_password(password):
    """8 to 128 characters, none of them control characters."""
    assert {"password"} == faults(requests.SignUp, email="anna@example.com", password=password)


def test_a_password_is_taken_as_typed():
    """Spaces at the ends belong to it; one Unicode form, so that every keyboard types the same."""
    load = requests.SignUp().load

    assert load({**ACCOUNT, "password": "  two spaces  "})["password"] == "  two spaces  "
    assert load({**ACCOUNT, "password": "cafe\u0301 au lait"})["password"] == "caf\u00e9 au lait"


@pytest.mark.parametrize("username", ["ab", "a" * 33, "anna@home", "ännchen", "a b c", ".anna"])
def test_what_is_no_user_name(username):
    """No @ and nothing that looks like something else."""
    assert {"username"} == faults(requests.SignUp, **ACCOUNT, username=username)


@pytest.mark.parametrize("phone", ["abc", "12", "+", "1" * 40, "+43 <script>", "\u0661\u0662"])
def test_what_is_no_phone_number(phone):
    """Digits, with the signs that people put between them."""
    assert {"phone"} == faults(requests.SignUp, **ACCOUNT, phone=phone)


@pytest.mark.parametrize(
    ("field", "value"),
    [("country", "at"), ("country", "XX"), ("country", "Austria"), ("country", None),
     ("line1", ""), ("line1", "   "), ("line1", "x" * 201), ("city", None), ("city", ""),
     ("postal_code", "1" * 21), ("region", "\x00"), ("planet", "Earth")],
)  # fmt: skip
def test_what_is_no_address(field, value):
    """Bounded texts, a real country, nothing else."""
    assert {field} == faults(requests.AddAddress, user_id=UID, **(ADDRESS | {field: value}))


@pytest.mark.parametrize(
    ("country", "fields"),
    [
        ("AT", {}),
        ("DE", {"postal_code": "28195"}),
        ("GB", {"postal_code": "sw1a 1aa"}),
        ("US", {"postal_code": "95014-1234", "region": "CA"}),
        ("QA", {"postal_code": None}),
        ("AE", {"postal_code": None, "city": "Dubai"}),
        ("HK", {"postal_code": None, "city": "Kowloon"}),
        ("IE", {"postal_code": None}),
        ("XK", {"postal_code": "10000"}),
        ("SG", {"postal_code": "546080", "city": None}),
        (
            "JP",
            {"postal_code": "\uff11\uff15\uff14\uff0d\uff10\uff10\uff12\uff13", "city": "Tokyo"},
        ),
        ("LT", {"postal_code": "LT-04340"}),
    ],
)
def test_addresses_have_what_their_country_has(country, fields):
    """No postal code where there is none, another form where that is another; ISO 3166-1."""
    sent = {"user_id": UID, **ADDRESS, "country": country} | fields
    loaded = requests.AddAddress().load(sent)

    assert country == loaded["country"]
    assert "default" not in loaded
    assert not loaded["postal_code"] or loaded["postal_code"].isascii()


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("postal_code", {"country": "DE", "postal_code": "8010"}),
        ("postal_code", {"country": "DE", "postal_code": None}),
        ("postal_code", {"country": "GB", "postal_code": "BFPO 1 or so"}),
        ("postal_code", {"country": "XK", "postal_code": "99999"}),
        ("region", {"country": "US", "postal_code": "95014"}),
        ("city", {"country": "QA", "postal_code": None, "city": None}),
        ("region", {"country": "AE", "postal_code": None, "city": ""}),
        ("phone", {"phone": "12345678901234567890"}),
        ("name", {"name": "Ann\u2028Lee"}),
    ],
)
def test_what_an_address_of_its_country_lacks_is_named(field, fields):
    """By the field that has to be mended, and in words that say how."""
    assert {field} == faults(requests.AddAddress, user_id=UID, **(ADDRESS | fields))


@pytest.mark.parametrize(
    ("country", "written", "kept"),
    [
        ("GB", " sw1a  1aa ", "SW1A 1AA"),
        ("GB", "SW1A-1AA", "SW1A1AA"),
        ("CA", "K1A-0B1", "K1A0B1"),
        ("IN", "110 001", "110001"),
        ("PL", "00950", "00-950"),
        ("PT", "1000205", "1000-205"),
        ("US", "941031234", "94103-1234"),
        ("LV", "1010", "LV-1010"),
        ("LV", "LV1010", "LV-1010"),
        ("DE", "D-10115", "10115"),
        ("AT", "A 1010", "1010"),
        ("FO", "FO-100", "100"),
        ("JP", "\u3012100-0001", "1000001"),
        ("JP", "\uff11\uff10\uff10-0001", "100-0001"),
        ("SE", "SE-123 45", "SE-123 45"),
        ("QA", "as you like", "AS YOU LIKE"),
    ],
)
def test_postal_codes_as_people_write_them(country, written, kept):
    """Spaces, hyphens and the letters of the country are not what makes a code."""
    address = ADDRESS | {"user_id": UID, "region": "X", "country": country, "postal_code": written}
    assert requests.AddAddress().load(address)["postal_code"] == kept


@pytest.mark.parametrize(
    ("country", "written"),
    [("US", "D-10115"), ("DE", "1011"), ("DE", "AT-10115"), ("PL", "0095"), ("IN", "11 00 0")],
)
def test_another_countrys_postal_code(country, written):
    """Is none, nor is one that is too short."""
    address = ADDRESS | {"region": "X", "country": country, "postal_code": written}
    assert {"postal_code"} == faults(requests.AddAddress, user_id=UID, **address)


@pytest.mark.parametrize(
    ("written", "country", "kept"),
    [
        ("(555) 123-4567", "US", "+15551234567"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("0049 30 123456", "US", "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
        ("0011 44 20 7946 0958", "AU", "+442079460958"),
        ("\uff10\uff13-1234-5678", "JP", "+81312345678"),
        ("020\u20137946\u20130958", "GB", "+442079460958"),
        ("(555)\u00a0123\u20114567", "US", "+15551234567"),
        (
            "\u0660\u0661\u0660\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
            "EG",
            "+201001234567",
        ),
        ("\u202a+44 20 7946 0958\u202c", "US", "+442079460958"),
        ("7012", "NU", "+6837012"),
    ],
)
def test_phone_numbers_are_kept_in_one_form(written, country, kept):
    """E.164, whichever way people write them."""
    assert phones.e164(written, country) == kept


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (requests.SignUp, ACCOUNT),
        (requests.AddAddress, ADDRESS | {"user_id": UID}),
    ],
)
def test_a_phone_number_that_was_copied(schema, sent):
    """Programs put marks of direction around numbers, which nobody sees."""
    loaded = schema().load(sent | {"phone": "\u202a+44 20 7946 0958\u202c"})
    assert loaded["phone"].replace(" ", "") == "+442079460958"


@pytest.mark.parametrize(
    "written", ["911", "12345", "+1 555", "+999 12345678", "+44 20 7946 0958 99 99 99"]
)
def test_impossible_phone_numbers_are_refused_in_words(written):
    """The sentence says what to write."""
    with pytest.raises(ValueError, match="country code"):
        phones.e164(written, "US")


SAME = [
    "u@b\u00fccher.example",
    "u@bu\u0308cher.example",
    "u@B\u00dcCHER.Example",
    "u@xn--bcher-kva.example",
    "u@b\u00fccher\u3002example",
    "u@b\u00fccher\uff0eexample",
    "u@b\u00fccher\uff61example",
    "\uff55\uff20b\u00fccher.example",
    "u@\uff42\u00fccher.example",
    " u@b\u00fccher.example ",
]


@pytest.mark.parametrize("written", SAME)
def test_an_address_is_the_same_at_all_doors(written):
    """Sign-up, login, forgotten password and change fold it alike."""
    folded = "u@xn--bcher-kva.example"
    one_time = {"password": "correct horse"}
    assert requests.SignUp().load({"email": written, **one_time})["email"] == folded
    assert requests.Login().load({"email": written, **one_time})["email"] == folded
    assert requests.ForgotPassword().load({"email": written})["email"] == folded
    update = {"user_id": UID, "email": written, "actor": "system"}
    assert requests.Update().load(update)["email"] == folded


@pytest.mark.parametrize(
    "written",
    [
        "=?utf-8?q?x=40victim.example=2C?=@example.com",
        "a@b.example\u2028",
        "a@b.example\r\nBcc: c@d.example",
    ],
)
def test_an_address_has_nothing_that_a_mail_header_reads_otherwise(written):
    """RFC 2047, and line breaks."""
    assert {"email"} == faults(requests.SignUp, email=written, password="correct horse")


def test_an_empty_field_of_a_form_is_one_that_was_not_given():
    """White space alone says nothing; what may be null is null then."""
    sent = {**ACCOUNT, "username": "", "first_name": "  ", "phone": " "}
    loaded = requests.SignUp().load(sent)
    assert [loaded[name] for name in ("username", "first_name", "phone")] == [None] * 3
    address = requests.AddAddress().load({"user_id": UID, **ADDRESS, "line2": "", "region": "\t"})
    assert (address["line2"], address["region"]) == (None, None)


def test_one_logs_in_by_either_name():
    """The e-mail address or the user name, exactly one."""
    load = requests.Credentials().load

    for name in ({"email": "a@b.co"}, {"username": "anna"}):
        assert load({**name, "password": "x"}) == {**name, "password": "x", "network": None}
    assert {"email"} == faults(requests.Login, password="x")
    assert {"email"} == faults(requests.Login, email="a@b.co", username="anna", password="x")
    assert {"password"} == faults(requests.Login, email="a@b.co", password="x" * 129)


def test_a_change_keeps_absent_and_empty_apart():
    """What is not given is not there; null means empty."""
    change = {"user_id": UID, "first_name": None, "partial": True, "actor": "system"}
    loaded = requests.Update().load(change)

    assert loaded["first_name"] is None
    assert "last_name" not in loaded
    assert {"email"} == faults(requests.Update, user_id=UID, email=None, actor="system")


def test_an_absent_actor_is_nobody():
    """And so is a malformed one; the system is named."""
    assert requests.Delete().load({"user_id": UID, "actor": "system"})["actor"] == Actor.SYSTEM
    assert {"actor"} == faults(requests.Delete, user_id=UID)
    assert {"actor"} == faults(requests.Delete, user_id=UID, actor={"role": "admin"})


@pytest.mark.parametrize("role", ["system", "root", "Admin", "", None, 1])
def test_what_is_no_role(role):
    """Customer, staff, admin."""
    assert {"role"} == faults(requests.Update, user_id=UID, role=role, actor="system")


def test_answers_go_by_a_list():
    """The hash, and whatever comes to the table later, stays inside."""
    seen = {
        "email": "anna@example.com", "email_verified": True, "pending_email": None,
        "username": None, "first_name": "Anna", "last_name": None, "phone": None, "version": 3,
    }  # fmt: skip
    row = seen | {
        "id": uuid.UUID(UID), "role": Role.CUSTOMER, "password_hash": "$argon2id$...",
        "created_at": datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC), "deleted_at": None,
    }  # fmt: skip

    assert answers.User().dump(row) == seen | {
        "id": UID, "role": "customer", "created_at": "2026-03-01T00:00:00+00:00",
    }  # fmt: skip


def test_the_event_names_the_user_and_nothing_else():
    """No e-mail address on the wire."""
    assert UserEvent().dump({"user_id": uuid.UUID(UID)}) == {"user_id": UID}
