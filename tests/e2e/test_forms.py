"""What the forms of shops send, over HTTP: empty fields, addresses of the world, odd characters."""

import pytest

from tests.e2e.client import ADDRESS, PASSWORD, Client

MANY = [{}] * 9_000


@pytest.mark.parametrize(
    ("path", "body"), [("/api/inventory/check", {"items": MANY}), ("/api/orders", {"items": MANY})]
)
def test_a_list_that_is_too_long_is_refused_by_its_length(shop, path, body):
    """A few bytes answer it, whatever is in it."""
    customer = shop.customer()
    problem = customer.post(path, body, 422)
    assert problem["errors"] == {"items": ["Longer than maximum length 100."]}
    assert len(customer.answer.content) < 1000


def test_a_body_is_refused_by_how_much_is_in_it(shop):
    """Before any of that is made."""
    for item in ([], {}, [[[]]]):
        shop.nobody.post("/api/inventory/check", {"items": [item] * 11_000}, 400)
        assert shop.nobody.answer.json()["code"] == "malformed_json"


def test_a_password_that_nobody_typed_was_not_given(shop):
    """A form for the profile sends it all the same; it is needed for what it protects."""
    me = shop.customer()
    form = {"first_name": "Ann", "current_password": ""}
    assert me.patch("/api/users/profile", form)["first_name"] == "Ann"
    me.put("/api/users/profile", form)
    email = {"email": "other@example.com", "current_password": ""}
    assert "current_password" in me.patch("/api/users/profile", email, 422)["errors"]


def test_unknown_fields_are_not_all_repeated(shop):
    """Nor is a name of any length."""
    body = {"items": [{"product_id": 1, "quantity": 1}]}
    many = {f"field-{n}": 1 for n in range(10_000)}
    shop.nobody.post("/api/inventory/check", body | many, 422)
    assert len(shop.nobody.answer.content) < 1000
    some = {"x" * 2000 + str(n): 1 for n in range(50)}
    problem = shop.nobody.post("/api/inventory/check", body | some, 422)
    assert len(problem["errors"]) <= 20
    assert len(shop.nobody.answer.content) < 5000


@pytest.mark.parametrize(
    "field",
    [
        *({"price": price} for price in ("1_000", "1e3", " 1", "\uff11", "+5", "NaN", "1.005")),
        *({"currency": code} for code in ("ZZZ", "XXX", "DEM", "eur", "XAU")),
        *({"name": name} for name in ("\u200b", "\u2800", "\u3164", "a\u2028b", "a\x85b")),
        *({"name": name} for name in ("a\u202eb", "=?utf-8?q?a=0Ab?=", "a\nb")),
        {"stock": True},
        {"stock": "1"},
    ],
)
def test_what_no_product_has_is_refused(shop, field):
    """And named."""
    problem = shop.admin.post("/api/products", {"name": "Lamp", "price": "1.00"} | field, 422)
    assert list(problem["errors"]) == list(field)


def test_joiners_stay_in_words(shop):
    """Persian and many an emoji need them."""
    name = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f4bb"
    assert shop.product(name=name)["name"] == name


def test_empty_filters_of_a_form_filter_nothing(shop):
    """As if they had not been sent."""
    shop.product()
    empty = "search=&category=&currency=&min_price=&max_price=&in_stock=&sort="
    assert shop.nobody.get(f"/api/products?{empty}") == shop.nobody.get("/api/products")
    shop.admin.get("/api/users?search=&role=%20")
    shop.admin.get("/api/orders?status=&payment_status=&from=&to=&user_id=")
    problem = shop.nobody.get("/api/products?colour=", 422)
    assert list(problem["errors"]) == ["colour"]


@pytest.mark.parametrize(
    "query",
    ["limit=06", "limit=%2B5", "limit=%EF%BC%91", "limit=%205", "in_stock=1", "in_stock=yes",
     "min_price=1e1", "currency=eur", "category=%EF%BC%91"],
)  # fmt: skip
def test_a_query_has_one_form(shop, query):
    """That of the description."""
    problem = shop.nobody.get(f"/api/products?{query}", 422)
    assert list(problem["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("value", [0, 1, "true", None, "on"])
def test_a_truth_value_is_jsons_own(shop, value):
    """0 is a number."""
    customer = shop.customer()
    customer.patch(f"/api/notifications/{customer.user_id}", {"read": value}, 422)
    customer.post("/api/users/addresses", ADDRESS | {"default": value}, 422)


def test_an_empty_field_of_a_form_was_not_given(shop):
    """At sign-up, in the profile, and in an address."""
    client = Client(shop.url)
    email = f"{shop.customer().user_id}@b\u00fccher.example"
    account = {"email": email, "password": PASSWORD, "first_name": "", "phone": " "}
    user = client.post("/api/users/signup", account | {"username": "", "last_name": "Lee"}, 201)
    assert [user[n] for n in ("first_name", "phone", "username", "last_name")] == [None] * 3 + [
        "Lee"
    ]
    login = {"password": PASSWORD, "username": ""}
    for written in (email, email.replace(".example", "\u3002EXAMPLE"), email.upper()):
        client.token = client.post("/api/users/login", login | {"email": written})["access_token"]
    address = ADDRESS | {"line2": "", "region": "", "company": "", "name": "", "phone": ""}
    added = client.post("/api/users/addresses", address, 201)
    assert [added[n] for n in ("line2", "region", "company", "name", "phone")] == [None] * 5


@pytest.mark.parametrize(
    "address",
    [
        {"line1": "12 Corniche", "city": "Doha", "country": "QA"},
        {"line1": "1 Sheikh Zayed Road", "city": "Dubai", "country": "AE"},
        {"line1": "1 Nathan Road", "region": "Kowloon", "country": "HK"},
        {"line1": "1 Quay Street", "city": "Galway", "country": "IE"},
        {"line1": "Rr. Agim Ramadani 1", "city": "Prishtina", "country": "XK"},
        {"line1": "1 Raffles Place", "postal_code": "048616", "country": "SG"},
    ],
)
def test_an_address_is_ordered_to_as_its_country_writes_it(shop, address):
    """It stays in the order with its recipient."""
    customer = shop.customer()
    recipient = {"name": "Ada Lovelace", "phone": "+44 20 7946 0958"}
    customer.post("/api/users/addresses", address | recipient, 201)
    body = {"items": [{"product_id": shop.product()["id"], "quantity": 1}]}
    order = customer.post("/api/orders", body, 201)
    there = order["shipping_address"]
    assert {n: there[n] for n in address} == address
    assert (there["name"], there["phone"]) == ("Ada Lovelace", "+442079460958")
    given = customer.post("/api/orders", body | {"shipping_address": address}, 201)
    assert given["shipping_address"]["name"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"postal_code": "12"}, "postal_code"),
        ({"postal_code": ""}, "postal_code"),
        ({"country": "US", "postal_code": "95014"}, "region"),
        ({"country": "XX"}, "country"),
        ({"phone": "12345678901234567"}, "phone"),
    ],
)
def test_what_an_address_lacks_is_named(shop, wrong, field):
    """By the field."""
    problem = shop.customer().post("/api/users/addresses", ADDRESS | wrong, 422)
    assert list(problem["errors"]) == [field]


def test_another_address_becomes_the_default(shop):
    """When the default one is deleted."""
    customer = shop.customer()
    first = customer.post("/api/users/addresses", ADDRESS, 201)["id"]
    second = customer.post("/api/users/addresses", ADDRESS, 201)["id"]
    customer.delete(f"/api/users/addresses/{first}")
    assert customer.get(f"/api/users/addresses/{second}")["default"]


@pytest.mark.parametrize(
    "subject",
    ["=?utf-8?q?Hi=0AReply-To=3Ax=40y.example?=", "Hi\u2028there", "Hi\x85there", "Hi\x0bthere"],
)
def test_a_subject_is_one_line(shop, subject):
    """However the line break is written."""
    body = {"user_id": shop.customer().user_id, "channel": "email", "subject": subject}
    problem = shop.admin.post("/api/notifications/send", body | {"body": "x"}, 422)
    assert list(problem["errors"]) == ["subject"]
