"""Every call between services: what is sent, what is answered, and how it is refused."""

import datetime
import re
import uuid

import pytest

from chassis.errors import Fault, NotFound
from contracts.inventory.answers import Allocation, Reserved
from contracts.payments import answers as payments
from contracts.products.answers import SoldVariantList
from contracts.users import answers as users
from products.service import InventoryService, ProductsService
from tests.contract import shapes
from tests.contract.answers import ANSWERS, ERROR
from tests.contract.scenario import OLD_PASSWORD, PASSWORD
from tests.contract.services import answers, calls, named_errors
from users.service import UsersService

CALLS, SCHEMAS = calls(), answers()

#: Who asks whom, and what is needed of the answer; None: only that there is one.
NEEDED = {
    ("carts", "products.get_variants"): SoldVariantList,
    ("orders", "products.get_variants"): SoldVariantList,
    ("carts", "users.default_address"): users.DefaultAddress,
    ("orders", "users.default_address"): users.DefaultAddress,
    ("orders", "users.find"): users.UserIds,
    ("orders", "inventory.reserve"): Reserved,
    ("orders", "inventory.allocation"): Allocation,
    ("orders", "inventory.commit"): None,
    ("orders", "inventory.release"): None,
    ("orders", "payments.charge"): payments.Payment,
    ("orders", "payments.list"): payments.PaymentPage,
    ("orders", "payments.cancel"): None,
    ("notifications", "users.contacts"): users.Contacts,
    ("notifications", "users.issue_reset_token"): users.ResetToken,
    ("notifications", "users.issue_verification_token"): users.VerificationToken,
    ("notifications", "users.old_email"): users.OldEmail,
}


def between_services(traffic):
    return [call for call in traffic.calls if call.caller != "tester"]


def test_every_call_has_a_contract():
    """A new call is to say what it answers, and an old one leaves the table with its code."""
    assert set(ANSWERS) == {method for method, schema in SCHEMAS.items() if schema is None}


def test_every_call_was_made(traffic):
    """The day in the shop, which the other tests look at, leaves no call out."""
    answered = {call.method for call in traffic.calls if call.error is None}
    assert answered == set(CALLS) - {"gateway.health"}


def test_answers_keep_their_contract(traffic):
    """No field more, none less; money, times and ids in the one form that they have."""
    wrong = [problem for call in traffic.calls for problem in problems_of(call)]
    assert wrong == []


def problems_of(call):
    if call.error is not None:
        return shapes.problems(ERROR, call.error, call.where)
    schema = SCHEMAS[call.method]
    if schema is None:
        return shapes.problems(ANSWERS[call.method], call.result, call.where)
    return shapes.problems_of_answer(schema(), call.result, call.where)


def test_requests_are_what_the_callee_takes(traffic):
    """By name, loaded by the callee's own schema, and in the form that the contract states."""
    wrong = []
    for call in traffic.calls:
        schema = CALLS[call.method]
        assert call.args == []
        if schema is None:
            assert call.kwargs == {}
        else:
            schema().load(call.kwargs)
            if call.caller != "tester":
                wrong += shapes.problems_of_request(schema(), call.kwargs, call.where)
    assert wrong == []


def test_who_asks_whom_is_known(traffic):
    """A service that begins to lean on another one says so here."""
    assert {(call.caller, call.method) for call in between_services(traffic)} == set(NEEDED)


def test_answers_hold_what_the_caller_needs(traffic):
    """What a service reads of another one's answer is there, by the reader's own schema."""
    for call in between_services(traffic):
        needed = NEEDED[call.caller, call.method]
        if needed is not None and call.error is None:
            assert needed().load(call.result)


def test_secrets_stay_inside(traffic):
    """No password goes on from where it was sent to, and no hash or private key anywhere."""
    assert not re.search(rb"\$argon2|PRIVATE KEY|_hash|pem|fingerprint", traffic.everything)
    for secret in (PASSWORD, OLD_PASSWORD):
        sent = [call for call in traffic.calls if secret in str(call)]
        assert {call.caller for call in sent} == {"tester"}
        assert not any(secret in str((call.result, call.error)) for call in sent)


def no_stock(call):
    _reserve(call, uuid.uuid4(), quantity=3)


def given_back(call):
    order_id = uuid.uuid4()
    call.inventory.release(order_id=order_id, reason="checkout abandoned")
    _reserve(call, order_id, quantity=1)


def _reserve(call, order_id, quantity):
    product = call.products.create(name="Kettle", price="1.00", stock=2)["id"]
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)
    lines = [{"variant_id": product, "quantity": quantity}]
    call.inventory.reserve(order_id=order_id, lines=lines, expires_at=soon)


#: How each error that a caller tells apart comes about, and the data that travel with it.
SHORT = {
    "variant_id": shapes.number_id,
    "product_id": shapes.number_id,
    "requested": shapes.count,
    "available": shapes.count,
}
REFUSALS = {
    ("inventory", "out_of_stock"): (no_stock, {"lines": [SHORT]}),
    ("inventory", "reservation_released"): (given_back, {}),
}


def test_errors_that_callers_know_are_answered(start, call):
    """Each code that a service names in its proxies is one that the other really answers with,
    with the same status and the data that it promises."""
    named = {(service, error.code): error for service, error in named_errors()}
    assert set(named) == set(REFUSALS)
    start(ProductsService, InventoryService)
    for known, (provoke, data) in REFUSALS.items():
        with pytest.raises(Fault) as refused:
            provoke(call)
        assert (refused.value.code, refused.value.status) == (known[1], named[known].status)
        assert list(shapes.problems(data, refused.value.data, known[1])) == []


def test_callers_learn_that_something_is_not_there(start, call):
    """Where a service relies on the status alone: it asks for what may be gone."""
    start(InventoryService, UsersService)
    nobody = {"email": "a@example.org", "password": PASSWORD}
    homeless = call.users.sign_up(**nobody)["id"]
    for ask, arguments in (
        (call.inventory.commit, {"order_id": uuid.uuid4()}),
        (call.users.get, {"user_id": uuid.uuid4()}),
        (call.users.default_address, {"user_id": uuid.uuid4()}),
        (call.users.default_address, {"user_id": homeless}),
    ):
        with pytest.raises(NotFound):
            ask(**arguments)
