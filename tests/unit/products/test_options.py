"""Options by the names that people give them, and the keys of variants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts.products.fields import MAX_OPTION_VALUES, MAX_OPTIONS
from products.catalog.options import Option, option_key, values_of, with_declared

SIZE, COLOUR = Option("Size", 1, {"S": 10, "M": 11}), Option("Colour", 2, {"red": 20, "M": 21})

NAMES = st.text("abMß É", min_size=1, max_size=5)


def test_the_same_word_in_two_options_is_two_values():
    """And the order in which somebody names them says nothing."""
    one = option_key([SIZE, COLOUR], {"Size": "M", "Colour": "red"})
    other = option_key([SIZE, COLOUR], {"Colour": "M", "Size": "S"})
    assert (one, other) == ("11,20", "10,21")
    assert option_key([SIZE, COLOUR], {"Colour": "red", "Size": "M"}) == one


def test_keys_are_in_the_order_of_numbers():
    """9 comes before 10."""
    options = [Option("A", 1, {"x": 10}), Option("B", 2, {"x": 9})]
    assert option_key(options, {"A": "x", "B": "x"}) == "9,10"


def test_small_and_large_letters_are_the_same():
    """The spelling that was there first stays."""
    options = with_declared(
        [SIZE], [("SIZE", ["m", "l", "L"]), ("fit", ["Slim"]), ("Fit", ["slim"])]
    )
    assert [(each.name, each.values) for each in options] == [
        ("Size", {"S": 10, "M": 11, "l": None}),
        ("fit", {"Slim": None}),
    ]
    assert option_key([SIZE], {"sIZE": "m"}) == "11"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "Give a value of Size, Colour."),
        ({"Size": "M"}, "Give a value of Colour."),
        ({"Size": "M", "size": "S", "Colour": "red"}, "An option is named twice."),
    ],
)
def test_a_variant_has_one_value_of_each_option(chosen, said):
    """Neither fewer nor two."""
    with pytest.raises(Invalid) as refused:
        option_key([SIZE, COLOUR], chosen)
    assert refused.value.errors == {"options": [said]}


@pytest.mark.parametrize(
    "names",
    [
        [(f"Option {number}", ["a"]) for number in range(MAX_OPTIONS + 1)],
        [("Size", [str(number) for number in range(MAX_OPTION_VALUES - 1)])],
    ],
)
def test_a_product_has_so_many(names):
    """Of options, and of values in each, with those that are there."""
    with pytest.raises(Invalid) as refused:
        with_declared([SIZE], names)
    assert refused.value.errors["options"][0].startswith("At most ")


@given(st.lists(st.dictionaries(NAMES, NAMES, max_size=3), max_size=5))
def test_what_was_declared_is_found_by_its_key(variants):
    """Every variant whose options are made gets a key, and its values back by it: those that were
    written first."""
    names = [(name, [value]) for chosen in variants for name, value in chosen.items()]
    try:
        options = with_declared([], names)
    except Invalid:
        assert len({name.casefold() for name, _ in names}) > MAX_OPTIONS
        return
    ids = iter(range(1, 1000))
    for option in options:
        option.values = {value: next(ids) for value in option.values}
    shown = [
        {"name": each.name, "values": [{"id": i, "value": v} for v, i in each.values.items()]}
        for each in options
    ]
    for chosen in variants:
        wanted = {name.casefold(): value.casefold() for name, value in chosen.items()}
        if len(wanted) == len(chosen) and len(wanted) == len(options):
            found = values_of(option_key(options, chosen), shown)
            assert {k.casefold(): v.casefold() for k, v in found.items()} == wanted
