"""What the demo shows of calls and answers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shop.demo_client import brief, laid_out

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=30,
)


@given(VALUES)
def test_layout_is_the_same_json(value):
    """However the lines are broken, they are the value's JSON."""
    assert json.loads("\n".join(laid_out(value, 60))) == value


def test_layout_fills_lines():
    """Short parts share a line; what does not fit is indented below."""
    value = {"status": "paid", "total": "9.99", "items": [{"name": "x" * 30}, {"name": "y" * 30}]}
    assert laid_out(value, 60) == [
        "{",
        '  "status": "paid", "total": "9.99",',
        '  "items": [',
        f'    {{"name": "{"x" * 30}"}},',
        f'    {{"name": "{"y" * 30}"}}',
        "  ]",
        "}",
    ]


def test_secrets_are_cut():
    """Of a password or token only the beginning is shown, wherever it is."""
    shown = brief({"password": "long-Secret-9", "inner": [{"access_token": "eyJhbGciOiJ"}]})
    assert shown == {"password": "long-S...", "inner": [{"access_token": "eyJhbG..."}]}


def test_long_lists_and_texts_are_shortened():
    """A list shows three items and counts the rest; a text shows its beginning."""
    assert brief([1, 2, 3, 4, 5]) == [1, 2, 3, "... 2 more"]
    assert len(brief("x" * 500)) == 60
