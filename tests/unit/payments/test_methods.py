"""Payment methods: a token goes through, a card number does not, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.methods import CARD_NUMBER_SENT, NOT_A_METHOD, PaymentMethod, parse

NUMBER = "4242424242424242"


def test_a_token_is_a_method():
    """The one accepted form is a card token."""
    assert parse({"type": "card", "token": "tok_visa"}) == PaymentMethod("card", "tok_visa")


def test_the_page_of_the_provider_is_a_method():
    """It has no token."""
    assert parse({"type": "checkout"}) == PaymentMethod("checkout", None)


def test_the_repr_hides_the_token():
    """A method can end up in a log line; its token cannot."""
    assert "tok_visa" not in repr(parse({"type": "card", "token": "tok_visa"}))


@pytest.mark.parametrize(
    "method",
    [
        {"type": "card", "token": NUMBER},
        {"type": "card", "token": "4242 4242 4242 4242"},
        {"type": "card", "token": "4242-4242-4242-4242"},
        {"type": "card", "token": "378282246310005"},
        {"type": "card", "token": "4222222222222"},
        {"type": "card", "token": "6304000000000000000"},
        {"type": "card", "token": f"tok_{NUMBER}"},
        {"type": "card", "token": "tok_4242_4242_4242_4242"},
        {"type": "card", "number": NUMBER},
        {"type": "card", "token": "tok_visa", "number": int(NUMBER)},
        {"type": "card", "token": "tok_visa", "number": float(NUMBER)},
        {"type": "card", "token": "tok_visa", "card": {"pan": [{"n": NUMBER}]}},
        {NUMBER: "card"},
        NUMBER,
        int(NUMBER),
        [NUMBER],
        {"type": "card", "token": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"},
    ],
)
def test_a_card_number_anywhere_is_refused(method):
    """13 to 19 digits in any value or key are taken for a card number."""
    with pytest.raises(ValueError, match=r"^Card numbers are not accepted") as refusal:
        parse(method)
    assert str(refusal.value) == CARD_NUMBER_SENT


@given(
    digits=st.text("0123456789", min_size=13, max_size=19),
    separator=st.sampled_from(["", " ", "-", "_"]),
    every=st.integers(1, 6),
    around=st.tuples(st.text("ab_ ", max_size=5), st.text("ab_ ", max_size=5)),
)
def test_no_spacing_hides_a_card_number(digits, separator, every, around):
    """However the digits are grouped and whatever stands around them, they are found."""
    groups = [digits[i : i + every] for i in range(0, len(digits), every)]
    written = around[0] + separator.join(groups) + around[1]
    with pytest.raises(ValueError, match="Card numbers"):
        parse({"type": "card", "token": written})


@pytest.mark.parametrize(
    "method",
    [
        None,
        "tok_visa",
        {},
        [],
        {"type": "card"},
        {"type": "card", "token": ""},
        {"type": "card", "token": "tok visa"},
        {"type": "card", "token": "tok_visa\n"},
        {"type": "card", "token": 7},
        {"type": "card", "token": "t" * 201},
        {"type": "cash", "token": "tok_visa"},
        {"type": "bank", "token": "tok_visa"},
        {"type": "checkout", "token": "tok_visa"},
        {"type": "card", "token": "tok_visa", "cvc": "123"},
    ],
)
def test_what_is_no_method_is_refused(method):
    """With a sentence that repeats nothing of it."""
    with pytest.raises(ValueError, match="Send") as refusal:
        parse(method)
    assert str(refusal.value) == NOT_A_METHOD


def test_twelve_digits_are_no_card_number():
    """No card has as few."""
    assert parse({"type": "card", "token": "123456789012"}).token == "123456789012"


def test_depth_does_not_matter():
    """A method as deep as JSON allows is refused like any other, without an error of ours."""
    deep = NUMBER
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="Card numbers"):
        parse({"type": "card", "token": deep})
