"""What people read."""

import uuid
from decimal import Decimal

import pytest

from contracts.notifications import requests
from notifications.mail.templates import render, short
from notifications.service import NotificationsService

ORDER = uuid.UUID("1a2b3c4d-0000-4000-8000-000000000000")
FACTS = {
    "order_id": ORDER,
    "payment_id": uuid.uuid4(),
    "number": "S-102-748-399",
    "order_number": "S-102-748-399",
    "user_id": uuid.uuid4(),
    "total": Decimal("1299.90"),
    "amount": Decimal("1299.90"),
    "refunded_total": Decimal("1300.00"),
    "full": True,
    "currency": "EUR",
    "reason": "order_cancelled",
    "failure_code": None,
    "change_id": None,
    "left": 7,
    "version": 2,
    "cause": "placed",
    "fulfilment_id": uuid.uuid4(),
    "cancellation_id": uuid.uuid4(),
    "location": "MAIN",
    "carrier": "DHL",
    "tracking_number": "00340",
    "tracking_url": "https://dhl.example/00340",
    "lines": [
        {"line": 1, "variant_id": 7, "quantity": 2, "name": "Kettle {0}"},
        {"line": 3, "variant_id": 9, "quantity": 1, "name": "Lamp"},
    ],
    "places": [{"variant_id": 7, "location": "MAIN", "quantity": 2}],
    "complete": True,
}


def handled():
    return {
        entrypoint.event_type: entrypoint.schema_class
        for entrypoint in NotificationsService.announce.nameko_entrypoints
    }


def test_every_event_we_handle_has_a_text():
    """With nothing but what its schema promises, each text is whole."""
    assert len(handled()) == 18
    for event_type, schema in handled().items():
        message = render(event_type, {name: FACTS[name] for name in schema().fields})
        assert message.subject
        assert message.body
        assert "\n" not in message.subject
        assert "{" not in (message.subject + message.body).replace("Kettle {0}", "")


def test_an_order_is_named_by_its_short_form_and_its_total():
    """People see the form that they can read out to the shop's staff."""
    message = render("order_placed", FACTS | {"number": None, "order_number": None})
    assert short(ORDER) == "1A2B3C4D"
    assert "1A2B3C4D" in message.subject
    assert "order 1A2B3C4D for €1,299.90." in message.body


def test_a_parcel_is_told_with_what_is_in_it_and_how_to_follow_it():
    """Names are taken as they are; of how it travels, what is known is told."""
    shipped = render("fulfilment_shipped", FACTS)
    assert shipped.subject == "Your order S-102-748-399 is on its way"
    contents, tracking = shipped.body.split("\n\n")[1:]
    assert contents == "2 × Kettle {0}\n1 × Lamp"
    assert tracking == ("Carrier: DHL\nTracking number: 00340\nhttps://dhl.example/00340\n")
    unknown = dict.fromkeys(("carrier", "tracking_number", "tracking_url"))
    assert render("fulfilment_shipped", FACTS | unknown).body.endswith("\n1 × Lamp\n")


@pytest.mark.parametrize("type", ["fulfilment_shipped", "fulfilment_delivered"])
def test_a_part_of_an_order_says_that_the_rest_follows(type):
    """And which lines the part has."""
    part = render(type, FACTS | {"complete": False})
    assert part.subject.startswith("Part of your order S-102-748-399 ")
    assert "The rest follows.\n\n2 × Kettle {0}\n1 × Lamp" in part.body
    assert "rest" not in render(type, FACTS).body


def test_cancelled_items_are_told_with_their_money():
    """Of what cost nothing, no money is promised."""
    told = render("order_items_cancelled", FACTS | {"amount": Decimal("21.75")})
    assert told.body.endswith("1 × Lamp\n\n€21.75 is on its way back to you.\n")
    free = render("order_items_cancelled", FACTS | {"amount": Decimal("0.00")})
    assert free.body.endswith("1 × Lamp\n")


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("79.96", "EUR", "\u20ac79.96"),
        ("2850.00", "JPY", "\u00a52,850"),
        ("1234.50", "USD", "$1,234.50"),
        ("1.50", "KWD", "KWD\u00a01.500"),
        ("1234.50", "CHF", "CHF\u00a01,234.50"),
        ("1234.50", "AUD", "A$1,234.50"),
        ("10.50", "IRR", "IRR\u00a010.50"),
        ("1500.00", "HUF", "HUF\u00a01,500"),
    ],
)
def test_amounts_are_written_by_their_currency(amount, currency, written):
    """Yen have no decimals, dinars three, forints none unless there are some; nothing is rounded
    away. Letters stand apart from digits (CLDR's currencySpacing)."""
    facts = {**FACTS, "total": Decimal(amount), "currency": currency}
    assert f"for {written}." in render("order_placed", facts).body


def test_an_order_is_named_by_its_number_where_it_is_known():
    """Events of before there were numbers have none."""
    facts = {"order_id": ORDER, "number": "S-102-748-399", "total": "9.50", "currency": "EUR"}
    message = render("order_placed", facts)
    assert message.subject == "Thank you for your order S-102-748-399"
    assert "order S-102-748-399 for" in message.body
    assert "1A2B3C4D" in render("order_placed", facts | {"number": None}).subject


@pytest.mark.parametrize(
    ("code", "words"),
    [("insufficient_funds", "not enough funds"), (None, "did not go through."), ("x7", "through.")],
)
def test_a_failure_is_told_in_words_or_not_at_all(code, words):
    """A provider's code that we have no words for stays inside."""
    assert words in render("payment_failed", {**FACTS, "failure_code": code}).body


def test_money_that_came_for_a_cancelled_order_says_why_it_goes_back():
    """Nobody is asked to pay again."""
    facts = {name: value for name, value in FACTS.items() if name != "failure_code"}
    body = render("payment_refunded", facts).body
    assert "refunded €1,299.90" in body
    assert "the order was cancelled" in body
    assert "cancelled" not in render("payment_refunded", facts | {"reason": None}).body


@pytest.mark.parametrize("event_type", ["order_placed", "order_paid", "order_cancelled"])
def test_an_order_that_costs_nothing_is_told_without_a_word_of_money(event_type):
    """Nobody is asked to pay for it, and no money comes, or goes back."""
    message = render(event_type, FACTS | {"total": Decimal("0.00")})
    for word in ("paid", "pay ", "money", "received", "\u20ac"):
        assert word not in message.subject + message.body
    assert "S-102-748-399" in message.subject
    assert "order S-102-748-399" in message.body.replace("Order", "order")


def test_who_was_charged_in_part_is_not_told_otherwise():
    """The part is on its way back; others have not been charged."""
    partly = render("payment_failed", FACTS | {"failure_code": "partial_capture"}).body
    assert "on its way back to you" in partly
    assert "not been charged" not in partly
    assert "You can try again" in partly
    assert "You have not been charged. You can try again" in render("payment_failed", FACTS).body


@pytest.mark.parametrize(
    ("left", "words"), [(7, "7 recovery codes"), (1, "1 recovery code"), (0, "no recovery codes")]
)
def test_recovery_codes_are_counted_in_english(left, words):
    """One code is not several."""
    assert f"You have {words} left," in render("recovery_code_used", {"left": left}).body


def test_a_welcome_needs_no_order():
    """The first message has no order to speak of."""
    assert "Welcome" in render("user_registered", {"user_id": FACTS["user_id"]}).subject


def test_texts_fit_the_columns_of_a_message():
    """What we write ourselves keeps the bounds that we set others."""
    send = requests.Send().fields
    for event_type in handled():
        message = render(event_type, FACTS)
        for name, limit in (("subject", 200), ("body", 5000)):
            assert len(getattr(message, name)) <= limit
            send[name].deserialize(getattr(message, name))
