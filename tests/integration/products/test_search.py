"""Search: words, near words, relevance."""

import pytest

from contracts.products import answers


@pytest.fixture
def shop(shelf):
    """Products whose words stand in different places."""
    shelf("Wireless Keyboard", description="Quiet keys for the desk.", sku="KB-77")
    shelf("Gooseneck Kettle", description="Stands well beside a keyboard.")
    shelf("Studio Headphones", attributes={"colour": "sand", "fits": ["adults", "teens"]})
    shelf("Desk Lamp", attributes={"colour": "red"})
    shelf("Laptop Sleeve", description="Felt, for 14 inch.")
    shelf("Café Crème Cups", description="Set of four.")


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("keyboard", ["Wireless Keyboard", "Gooseneck Kettle"]),  # the name before the rest
        ("KEYBOARDS", ["Wireless Keyboard", "Gooseneck Kettle"]),
        ("keyboard wireless", ["Wireless Keyboard"]),
        ("red lamp", ["Desk Lamp"]),  # an attribute counts
        ("teens", ["Studio Headphones"]),  # also one of a list
        ("kb-77", ["Wireless Keyboard"]),
        ("the laptop for", ["Laptop Sleeve"]),  # stop words don't matter
        ("14 inch", ["Laptop Sleeve"]),
        ("café", ["Café Crème Cups"]),
        ("spade", []),
        ("the", []),
        ("14", ["Laptop Sleeve"]),
        ("lamp\tdesk\n", ["Desk Lamp"]),  # pasted from a spreadsheet
    ],
)
def test_words(shop, names, search, expected):
    """All words, in any form, in the name, SKU, attributes or description."""
    assert names(search=search) == expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("keybord", "Wireless Keyboard"),  # left out
        ("keybooard", "Wireless Keyboard"),  # too many
        ("kexboard", "Wireless Keyboard"),  # another
        ("kyeboard", "Wireless Keyboard"),  # swapped
        ("wireles keybaord", "Wireless Keyboard"),  # two at once
        ("hedphnes", "Studio Headphones"),  # two in one word
        ("lmap", "Desk Lamp"),  # a short one
        ("lpatop", "Laptop Sleeve"),
        ("headph", "Studio Headphones"),  # only the beginning
        ("gooseneck ketle", "Gooseneck Kettle"),  # one right, one wrong
        ("cafe", "Café Crème Cups"),  # without the accent
    ],
)
def test_typos(shop, names, search, expected):
    """An edit in a short word, two in a longer one, or a word not written to its end."""
    assert expected in names(search=search)
    assert names(search=search)[0] == expected


def test_right_words_are_not_corrected(shop, shelf, names):
    """Near words are only looked for when nothing has the words as they were typed."""
    shelf("Lamb Chops")
    assert names(search="lamb") == ["Lamb Chops"]
    assert names(search="lamp") == ["Desk Lamp"]


@pytest.mark.parametrize(
    "filters", [{"max_price": "1.00"}, {"min_price": "900.00"}, {"in_stock": False}]
)
def test_what_filters_leave_out_is_no_misspelling(shop, shelf, names, filters):
    """A word that products have is right, also when none of them passes the filters."""
    shelf("Lamb Chops", price="0.50", stock=0)
    shelf("Golden Lamb", price="990.00")
    assert names(search="lamb", **filters) != []
    assert names(search="lamp", **filters) == []
    assert names(search="lanb", **filters) != []  # no word at all: corrected as ever


def test_new_words_are_known_at_once(products, shelf, names):
    """Words of new and of changed products can be misspelled from then on."""
    theremin = shelf("Theremin")
    assert names(search="theramin") == ["Theremin"]
    products.update(product_id=theremin["id"], name="Balalaika")
    assert names(search="balalayka") == ["Balalaika"]
    assert names(search="theramin") == []


def test_newest_first_within_a_tier(shelf, names):
    """Titles come before descriptions, each newest first, over any page size."""
    shelf("Old Lamp")
    shelf("Shade", description="For a lamp.")
    shelf("New Lamp")
    shelf("Bulb", description="In every lamp.")
    for limit in (1, 2, 3, 100):
        assert names(search="lamp", limit=limit) == ["New Lamp", "Old Lamp", "Bulb", "Shade"]
        assert names(search="lmap", limit=limit) == ["New Lamp", "Old Lamp", "Bulb", "Shade"]
    assert names(search="lamp", sort="name") == ["Bulb", "New Lamp", "Old Lamp", "Shade"]


@pytest.mark.parametrize(
    "search",
    [
        "'",
        "''''",
        "\\",
        "\\'",
        "& | ! ( ) <-> :* :A",
        "'); DROP TABLE products; --",
        "%_%",
        "x" * 200,
        "a " * 100,
        "日本語 العربية",
        "'a':*",
        "🦊🦊🦊",
        "-lamp",
        '"desk lamp"',
        "http://example.com/a?b=c",
    ],
)
def test_whatever_is_typed(shop, products, search):
    """No input is a syntax error; what finds nothing answers an empty list."""
    page = products.list(search=search)
    for item in page["items"]:
        answers.Product().load(item)


def test_an_empty_search_is_none(shop, names):
    """Spaces alone narrow nothing."""
    assert len(names(search="  ")) == 6
