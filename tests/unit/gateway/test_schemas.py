"""Shapes at the door that need more than a field of the chassis."""

import datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError

from contracts.orders.requests import ListOrders
from contracts.products.requests import ListProducts
from contracts.users.requests import ListUsers, NewAddress
from gateway.responses import created
from gateway.schemas.common import Keyed, ProductPath, idempotency_key
from gateway.schemas.orders import OrderChange, OrderQuery, PlaceOrder
from gateway.schemas.payments import Method
from gateway.schemas.products import Adjustment, NewProduct, ProductQuery, WholeProduct
from gateway.schemas.users import Account, Login, Profile, SignUp, UserQuery

#: The request of the service behind a list.
SERVICES = {ProductQuery: ListProducts, OrderQuery: ListOrders, UserQuery: ListUsers}


def faults(schema, data):
    """The names of the fields that do not fit."""
    return set(schema().validate(data))


@pytest.mark.parametrize(
    "value", ["0", "-1", "+1", "1.0", "1_0", " 1", "0x1", "\u0661", "", "9" * 19, "9" * 5000, "a"]
)
def test_a_number_in_a_path_is_digits(value):
    """What Python's int would take besides is refused, and so is what a bigint cannot hold."""
    assert faults(ProductPath, {"product_id": value}) == {"product_id"}
    assert ProductPath().load({"product_id": "12"}) == {"product_id": 12}


def test_a_category_is_asked_for_by_id_or_slug():
    """Digits are an id."""
    assert ProductQuery().load({"category": "12"})["category"] == 12
    assert ProductQuery().load({"category": "oak-chairs"})["category"] == "oak-chairs"
    assert faults(ProductQuery, {"category": "9" * 30}) == {"category"}


@pytest.mark.parametrize("token", ["tok_visa", "tok_3ds", "pm_1NvPKa2eZvKYlo2C", "tok_a_b_c"])
def test_a_providers_token_is_taken(token):
    """As the simulator and Stripe write them."""
    assert Method().load({"type": "card", "token": token})["token"] == token


@pytest.mark.parametrize(
    "token",
    [
        "4242424242424242",
        "tok_4242424242424242",
        "tok_4242_4242_4242_4242",
        "4242-4242-4242-4242",
        "tok_378282246310005x",
        "tok visa",
        "visa",
        "tok_" + "a" * 200,
        "",
        12,
        None,
    ],
)
def test_what_may_be_a_card_number_is_refused_without_repeating_it(token):
    """It goes no further than the door."""
    with pytest.raises(ValidationError) as refused:
        Method().load({"type": "card", "token": token})
    assert "42" not in str(refused.value.messages)


@pytest.mark.parametrize("key", ["", " ", "two words", "a" * 201, "tab\t", "é"])
def test_an_idempotency_key_is_short_visible_ascii(key):
    """Else it is named as the field that does not fit."""
    assert faults(Keyed, {"Idempotency-Key": key}) == {"Idempotency-Key"}


def test_an_idempotency_key_may_be_left_out():
    """Or be any visible ASCII."""
    assert idempotency_key(SimpleNamespace(header={}.get)) is None
    assert idempotency_key(SimpleNamespace(header={"Idempotency-Key": '"a-1"'}.get)) == '"a-1"'
    assert not faults(Keyed, {"Idempotency-Key": '"a-1"'})


def test_what_was_made_before_is_said_in_a_header():
    """And not in the resource."""
    first = created("/api/orders", {"id": 1, "replayed": False})
    again = created("/api/orders", {"id": 1, "replayed": True})
    assert first.body == again.body == {"id": 1}
    assert first.headers == {"Location": "/api/orders/1"}
    assert again.headers == {"Location": "/api/orders/1", "Idempotent-Replayed": "true"}


def test_login_takes_one_name():
    """The address or the user name, not both and not neither."""
    both = {"email": "a@example.com", "username": "ada", "password": "x"}
    assert faults(Login, both) == {"email"}
    assert faults(Login, {"password": "x"}) == {"email"}
    assert faults(Login, {"username": "ada", "password": "x"}) == set()


@pytest.mark.parametrize("schema", [SignUp, Profile])
def test_nobody_gives_himself_a_role(schema):
    """Nor any other field that is not his to set."""
    body = {"email": "a@example.com", "password": "long enough", "role": "admin", "id": 1}
    assert {"role", "id"} <= faults(schema, body)


def test_admins_need_nobodys_password():
    """And so they cannot send one."""
    assert faults(Account, {"role": "staff"}) == set()
    assert faults(Account, {"role": "root", "current_password": "x"}) == {
        "role",
        "current_password",
    }


def test_a_password_stays_as_it_was_typed():
    """Spaces at its ends are part of it."""
    body = {"email": " a@example.com ", "password": "  secret  "}
    loaded = SignUp().load(body)
    assert (loaded["email"], loaded["password"]) == ("a@example.com", "  secret  ")


def test_default_is_a_truth_value():
    """JSON has true and false; "yes" and 1 are neither."""
    address = {"line1": "1", "city": "x", "postal_code": "1234 AB", "country": "NL"}
    assert faults(NewAddress, address | {"default": "yes"}) == {"default"}
    assert faults(NewAddress, address | {"default": 1.5}) == {"default"}
    assert NewAddress().load(address | {"default": True})["default"] is True


def test_a_replaced_product_loses_what_is_not_given():
    """PUT is the whole resource; stock is only given to a new one."""
    loaded = WholeProduct().load({"name": "Chair", "price": "1"})
    assert loaded == {
        "name": "Chair",
        "price": Decimal("1.00"),
        "description": "",
        "category_id": None,
        "images": [],
        "attributes": {},
        "tax_class": "standard",
    }
    assert faults(WholeProduct, {"name": "Chair", "price": "1", "stock": 1}) == {"stock"}
    assert faults(NewProduct, {"name": "Chair", "price": "1", "stock": -1}) == {"stock"}


def test_stock_is_adjusted_one_way():
    """By a difference or to a number, never both, never without a reason."""
    assert faults(Adjustment, {"delta": 1, "on_hand": 1, "reason": "x"}) == {"delta"}
    assert faults(Adjustment, {"reason": "x"}) == {"delta"}
    assert faults(Adjustment, {"delta": 1}) == {"reason"}
    assert faults(Adjustment, {"delta": True, "reason": "x"}) == {"delta"}


def test_an_order_is_filtered_by_moments():
    """`from` is a word of Python, so it travels as `from_`; moments have an offset."""
    loaded = OrderQuery().load({"from": "2026-01-01T00:00:00+02:00"})
    utc = datetime.datetime(2025, 12, 31, 22, tzinfo=datetime.UTC)
    assert loaded["from_"] == utc
    assert faults(OrderQuery, {"to": "2026-01-01T00:00:00"}) == {"to"}


def test_an_order_has_bounded_lines():
    """At least one when items are sent at all, and no more than a hundred."""
    line = {"product_id": 1, "quantity": 1}
    assert faults(PlaceOrder, {}) == set()
    assert faults(PlaceOrder, {"items": []}) == {"items"}
    assert faults(PlaceOrder, {"items": [line] * 101}) == {"items"}
    assert faults(PlaceOrder, {"items": [line | {"quantity": 0}]}) == {"items"}
    assert faults(PlaceOrder, {"user_id": str(uuid4())}) == {"user_id"}


def test_an_empty_change_of_an_order_is_refused():
    """Something has to change."""
    assert faults(OrderChange, {}) == {"shipping_address"}
    assert isinstance(OrderQuery().load({"user_id": str(uuid4())})["user_id"], UUID)


@pytest.mark.parametrize("query", [ProductQuery, OrderQuery, UserQuery])
@pytest.mark.parametrize("schema_of", [lambda query: query, SERVICES.get], ids=["door", "service"])
def test_words_to_search_may_be_pasted_from_a_spreadsheet(query, schema_of):
    """Tabs and line feeds are spaces there, at the door and in the service behind it."""
    search = schema_of(query)().fields["search"]
    assert search.deserialize("desk\tlamp\n").split() == ["desk", "lamp"]
