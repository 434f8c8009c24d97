"""The published shape of a field takes what the field takes, and nothing else."""

import re
import unicodedata

import pytest
from apispec import APISpec
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from marshmallow import ValidationError

from chassis import fields, text
from chassis.web.json_schema import Plugin

#: What forms, other programs and attackers put into text.
ODD = [
    *("", " ", "\t", "\n", "\x00", "\x0b", "\x0c", "\x1f", "\x7f", "\x85", "\x9f", "\xa0", "\xad"),
    *("\u034f", "\u115f", "\u1680", "\u200b", "\u200c", "\u200d", "\u200e", "\u2028", "\u2029"),
    *("\u202e", "\u2060", "\u2066", "\u2800", "\u3000", "\u3164", "\ufe0f", "\ufeff", "\uffa0"),
    *("a", "\u00e9", "e\u0301", "=?", "?=", "=?utf-8?q?=0A?=", "?", "="),
]
WORDS = st.lists(st.sampled_from(ODD), max_size=6).map("".join) | st.text(max_size=8)
NUMBERS = st.sampled_from(
    [
        *("1_000", "1e3", " 1", "1 ", "\uff11", "+5", "-1", "Infinity", "NaN", "1.005", "1.", ".5"),
        *("0", "0.0", "0.00", "00", "00000001", "999999999999", "999999999999.99", "1.00005"),
        *("0x1", "1,5", "1\n", "\u0661", ""),
    ]
) | st.from_regex(r"[0-9+-]{0,3}[0-9]{0,13}([.,_][0-9]{0,5})?", fullmatch=True)


class Form(fields.Request):
    """One field of each kind whose form is a pattern."""

    text = fields.Text(max=20, required=True)
    line = fields.SingleLine(max=20, required=True)
    optional_text = fields.Text(max=20)
    optional_line = fields.SingleLine(max=20)
    empty_text = fields.Text(max=20, min=0, required=True)
    money = fields.Money(required=True)
    some_money = fields.Money(min="0.01", required=True)
    id = fields.Uuid(required=True)
    at = fields.Timestamp(required=True)
    currency = fields.CurrencyInUse(required=True)
    code = fields.Currency(required=True)
    flag = fields.Boolean(required=True)


SPEC = APISpec("t", "1", "3.1.0", plugins=[Plugin()])
SPEC.components.schema("Form", schema=Form)
SHAPES = SPEC.to_dict()["components"]["schemas"]["Form"]["properties"]


def described(name, value):
    """Whether the description takes it, `$` being the very end as in ECMA-262."""
    shape = dict(SHAPES[name])
    if "pattern" in shape:
        shape["pattern"] = shape["pattern"].removesuffix("$") + r"\Z"
    return Draft202012Validator(shape).is_valid(value)


def taken(name, value):
    """Whether the field takes it."""
    return not Form(only=[name]).validate({name: value})


@pytest.mark.parametrize("name", ["text", "line", "optional_text", "optional_line", "empty_text"])
@given(value=WORDS)
@example("=?utf-8?q?Hi=0AReply-To=3Ax?=")
@example("=?a?q?=0Ab?c?=")
@example("Vale\u200dria")
@example("\u200b")
def test_text(name, value):
    """Control characters, line breaks, encoded words, and what nobody sees."""
    assume(len(value) <= 20 and len(unicodedata.normalize("NFC", value)) <= 20)
    assert described(name, value) == taken(name, value), repr(value)


@pytest.mark.parametrize("word", ["=?a?q?=0Ab?c?=", "=?a?Q?=0A??=", "x =?a*en?b?Cg==?= y"])
def test_no_line_has_an_encoded_word(word):
    """Nor one with a question mark in it, which RFC 2047 does not know and mail programs decode."""
    assert not taken("line", word)
    assert taken("text", word)


@pytest.mark.parametrize("name", ["money", "some_money"])
@given(value=NUMBERS | st.integers(-5, 10**13) | st.booleans() | st.none())
def test_amounts(name, value):
    """Digits, a point, up to four places; as text or as an integer."""
    assert described(name, value) == taken(name, value), repr(value)


@given(value=st.sampled_from(["true", 0, 1, "", None, True, False, [], "on"]))
def test_truth_values(value):
    """JSON's own, and nothing that looks like them."""
    assert described("flag", value) == taken("flag", value) == isinstance(value, bool)


@given(value=st.from_regex(r"[A-Z]{2,4}", fullmatch=True) | st.sampled_from(["ZZZ", "EUR", "DEM"]))
def test_currencies(value):
    """Those in circulation, where prices are made; any where they are read."""
    assert described("currency", value) == taken("currency", value)
    assert described("code", value) == taken("code", value)


_UUID = "0b8f2d3e-5c1a-4f7e-9a64-2f1d7c3b9e10"


@pytest.mark.parametrize(
    "value",
    [
        *(_UUID, _UUID.upper(), f"{{{_UUID}}}", f"urn:uuid:{_UUID}", _UUID.replace("-", "")),
        *("{" + _UUID[:-2] + "}", _UUID[:-1] + "\uff11", _UUID[:-2] + "_1", f"{_UUID}\n"),
        "0b8f-2d3e5c1a-4f7e-9a64-2f1d7c3b9e10",
    ],
)
def test_ids(value):
    """RFC 9562's form alone."""
    assert (
        described("id", value)
        == taken("id", value)
        == bool(re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", value))
    )


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("2026-01-02T03:04:05Z", True),
        ("2026-01-02t03:04:05.123456789+01:00", True),
        ("2026-01-02 03:04:05Z", False),
        ("20260102T030405Z", False),
        ("2026-W01-1T03:04:05Z", False),
        ("2026-01-02T03:04:05+01", False),
        ("2026-01-02T03:04Z", False),
        ("2026-01-02T03:04:05", False),
        ("\uff12026-01-02T03:04:05Z", False),
        ("2026-01-02T03:04:05,5Z", False),
    ],
)
def test_moments(value, is_one):
    """RFC 3339, of the many forms of ISO 8601."""
    assert described("at", value) is taken("at", value) is is_one


@pytest.mark.parametrize(
    "value", ["06", "+5", "\uff11", " 5", "5 ", "5.0", "1_0", "", "0x5", "5\n"]
)
def test_an_integer_in_a_query_is_as_json_writes_it(value):
    """So that one page has one address."""
    assert fields.Page().validate({"limit": value})
    assert not fields.Page().validate({"limit": "5"})


def test_what_is_kept_of_text():
    """One form of Unicode, trimmed of what nobody sees; joiners stay where scripts need them."""
    line = fields.SingleLine(max=20)
    assert line.deserialize(" e\u0301t\u00e9\u200b ") == "\u00e9t\u00e9"
    assert line.deserialize("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645") == (
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    )
    with pytest.raises(ValidationError, match="seen"):
        line.deserialize("\u200d\u2060")
    assert text.is_blank("\u3000\t ")
