"""What somebody may have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products import spelling

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


def test_nearest_first_and_bounded():
    """The likeliest words are searched, not all that share some letters."""
    assert spelling.nearest("kettel", ["kettles", "kettle", "cattle", "petrol"]) == [
        "kettle",
        "kettles",
    ]
    many = [f"kett{a}{b}" for a in "abcdef" for b in "abcdef"]
    assert len(spelling.nearest("kettzz", many)) == spelling.MAX_VARIANTS


def test_words_of_a_search():
    """Punctuation separates, case does not matter, repeats and long sentences are cut."""
    assert spelling.words("Red, red LAMP_shade (30cm)!") == ["red", "lamp", "shade", "30cm"]
    assert len(spelling.words(" ".join(f"w{n}" for n in range(50)))) == spelling.MAX_WORDS
    assert spelling.words("& | ! ()") == []


def test_exact_query_quotes_what_is_typed():
    """Operators and quotes of the query language mean nothing in what people type."""
    assert spelling.exact_query("o'neill | a\\b !c") == r"'o''neill' & '|' & 'a\\b' & '!c'"


def test_corrected_query_takes_any_variant_of_each_word():
    """Each word, or what it begins, or what is near it; and that for all words."""
    query = spelling.corrected_query(
        {"red": ["bed", "red", "ruby"], "kettel": ["kettle"], "tv": []}
    )
    assert query == "('red':* | 'bed') & ('kettel':* | 'kettle') & ('tv')"
