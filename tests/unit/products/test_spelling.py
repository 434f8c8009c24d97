"""What somebody may have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search import spelling

WORDS = st.text("abcde", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("lamp", "lamp", 0),
        ("lamp", "lamps", 1),  # left out
        ("lammp", "lamp", 1),  # too many
        ("lomp", "lamp", 1),  # another
        ("lmap", "lamp", 1),  # swapped
        ("keybaord", "keyboard", 1),
        ("ketle", "kettles", 2),
        ("лмапа", "лампа", 1),
        ("", "tea", 3),
        ("spoon", "chair", 5),
    ],
)
def test_distance(one, other, edits):
    """Each letter inserted, left out, replaced or swapped with its neighbour is one edit."""
    assert spelling.distance(one, other) == edits


@given(WORDS, WORDS)
def test_distance_is_the_same_both_ways(one, other):
    """What turns one word into the other can be undone in as many edits."""
    assert spelling.distance(one, other) == spelling.distance(other, one)
    assert (spelling.distance(one, other) == 0) == (one == other)


def test_short_words_forgive_less():
    """In a short word, two letters are most of it."""
    assert [spelling.tolerated(word) for word in ("tv", "mug", "spoon", "kettle")] == [0, 1, 1, 2]


def test_only_the_nearest_and_bounded():
    """The likeliest words are searched, not all that share some letters."""
    assert spelling.nearest("kettel", ["nettle", "kettle", "cattle", "petrol"]) == ["kettle"]
    assert spelling.nearest("kettle", ["kettle", "nettle"]) == ["nettle"]
    assert spelling.nearest("kettle", ["spoon"]) == []
    many = [f"kett{a}{b}" for a in "abcdef" for b in "abcdef"]
    assert len(spelling.nearest("kettzz", many)) == spelling.MAX_VARIANTS


def test_halves():
    """Two words that were written as one have three letters each."""
    assert spelling.halves("redlamp") == [("red", "lamp"), ("redl", "amp")]
    assert spelling.halves("lamp") == []
