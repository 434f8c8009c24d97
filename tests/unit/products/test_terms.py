"""The terms of products and of searches."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search import attributes, terms, tsquery
from products.search.folding import folded, normalized

#: What names are made of: any letters, digits and signs, and those that go wrong easily.
TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["WD-40", "AC/DC", "O'Neill", "3,5mm", "10,000", "C++", "テーブルランプ", "ランプ", "Žižek",
         "Straße", "İstanbul", "the", "to", "IT", "โคมไฟ", "램프", "مِصباح", "½", "™", "-", "&"]
    )
).map(" ".join)  # fmt: skip


def index(name, **fields):
    return terms.index_terms(
        {"name": name, "sku": "P-1", "description": "", "attributes": {}} | fields
    )


def matches(search, product):
    """Whether all words of a search are among the terms of a title."""
    wanted = terms.wanted(terms.words(search))
    return bool(wanted) and all(
        any(product.title.issuperset(alternative) for alternative in word.alternatives)
        for word in wanted
    )


@given(TEXTS)
def test_a_product_is_found_by_its_name(name):
    """Whatever the name is, it can be typed as it stands, in capitals, or in another form."""
    product = index(name)
    wordless = not terms.words(name)
    for typed in (name, name.upper(), unicodedata.normalize("NFD", name), f"  {name} "):
        assert wordless or matches(typed, product), typed


@given(TEXTS)
def test_who_is_found_exactly_has_all_the_words(name):
    """The first tier is part of the second, so no product is in two or in none. A name of signs
    alone is nobody's as a whole."""
    product = index(name)
    if terms.words(name):
        assert terms.whole(name) in product.title | {terms.WHOLE}
        assert matches(name, product)


@given(TEXTS)
def test_folding_twice_changes_nothing(text):
    """A folded word is in its last form."""
    once = folded(normalized(text))
    assert folded(once) == once


@given(TEXTS)
def test_terms_are_bounded(text):
    """PostgreSQL takes a lexeme of 2,046 bytes; a search asks for few."""
    assert all(len(term.encode()) <= 2046 for term in index(text).title)
    wanted = terms.wanted(terms.words(text))
    assert len(wanted) <= terms.MAX_WORDS
    for word in wanted:
        assert sum(map(len, word.alternatives)) <= 4 * terms.MAX_PAIRS + 200


def test_a_product_has_no_more_terms_than_a_row_may():
    """What nobody would write is cut, not refused."""
    words = "".join(chr(0x10400 + number % 500) * (number % 40) + " " for number in range(100_000))
    characters = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(100_000))
    for endless in (words, characters):
        found = index("Lamp", description=endless, attributes={"texts": [endless]})
        assert len("".join(found.document).encode()) < 1_000_000


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("Salt/Pepper mill", ["pepper", "salt pepper", "PEPPER MILLS", "salt/pepper"]),
        ("Dr.Martens™ boots", ["martens", "dr martens", "drmartens", "Dr. Martens boot"]),
        ("WD-40", ["wd 40", "wd40", "WD 40", "wd-40", "ＷＤ－４０", "wd‑40"]),
        ("WD40", ["wd-40", "wd 40"]),
        ("AC DC", ["ac/dc", "acdc"]),
        ("USB-C hub", ["usbc", "usb c", "USB-C"]),
        ("500 ml flask", ["500ml", "500 ml", "500ML flask"]),
        ("Flask 500ml", ["500 ml", "500ml", "٥٠٠ml"]),
        ("3.5mm plug", ["3.5 mm", "3,5mm", "3.50 mm"]),
        ("10,000 mAh", ["10000 mah", "10000mah", "10.000 mAh"]),
        ("140 × 200 sheet", ["140x200", "140 x 200", "140×200"]),
        ("Lighthouse Keeper’s Ledger", ["keeper's", "keepers", "keeper", "keeper`s"]),
        ("Žižek print", ["zizek", "žižek", "Z\u030ciz\u030cek", "ŽIŽEK"]),
        ("Straße", ["strasse", "STRASSE", "straße", "STRAẞE"]),
        ("Küche", ["kuche", "kueche", "küche", "KÜCHE"]),
        ("Kueche", ["küche"]),
        ("Łódź Ærø Đông", ["lodz", "aero", "dong", "łódź"]),
        ("Ёлка", ["елка", "ЁЛКА"]),
        ("Ψηφιακό", ["ψηφιακο", "ΨΗΦΙΑΚΟ"]),
        ("مِصباحٌ", ["مصباح"]),
        ("テーブルランプ", ["ランプ", "ﾗﾝﾌﾟ", "らんぷ", "テーブル", "ラ"]),
        ("コンピュータ", ["コンピューター"]),
        ("紫砂茶壶", ["茶", "茶壶", "紫砂"]),
        ("테이블램프", ["램프", "테이블"]),
        ("โคมไฟตั้งโต๊ะ", ["โคมไฟ"]),
        ("iPhone用ケース", ["iphone ケース", "iphoneケース"]),
        ("PlayStation", ["playstation", "station"]),
        ("Desk Lamps", ["desklamp", "lamp desk", "desk-lamps"]),
        ("The Who", ["the who", "who", "THE WHO"]),
        ("C++ Primer", ["c++", "C++ primer", "primer"]),
        ("Café\u200bBar", ["cafe bar", "café"]),
        ("Soft\u00adware", ["software"]),
        ("Oak bookshelf knife", ["bookshelves", "oak bookshelves", "knives"]),
        ("Mouse pads", ["mice pad", "mouse pad"]),
        ("AT&T cable", ["at&t", "at&t cable", "att"]),
        ("1½ inch hose", ["1 1/2 inch", "1½ inch"]),
        ("🦊 Fox", ["🦊", "fox 🦊"]),
        ("AT&T cable", ["at and t", "AT & T"]),
        ('Drill 1/2" chuck', ["1/2 inch drill", "1/2in drill", '1/2" drill']),
        ("TV 55″", ["55 inch tv", "55in tv", "55-inch tv", '55"', "55''"]),
        ("65in monitor", ["65 inch monitor", '65" monitor']),
        ("65IN MONITOR", ["65 inch monitor"]),
        ("Shoe 42½", ["shoe 42.5", "42,5", "42½", "42 1/2"]),
        ("10 000 mAh battery", ["10000mah", "10,000 mah", "10 000 mAh"]),
        ("10\u202f000 mAh", ["10000mah"]),
        ("10 µm filter", ["10 um", "10um", "10 μm", "10 µm"]),
        ("J. R. R. Tolkien", ["jrr tolkien", "J.R.R. Tolkien", "tolkien"]),
        ("ज़ेबरा", ["जेबरा", "ज़ेबरा"]),
        ("चाँदी", ["चांदी", "चाँदी"]),
    ],
)
def test_a_name_is_found_by_what_people_type(name, searches):
    """Punctuation, spaces, accents, width, plural: none of them has to be as in the name."""
    product = index(name)
    assert [search for search in searches if not matches(search, product)] == []


@pytest.mark.parametrize(
    "name",
    ["a" * 200, "1." * 100, "1,1" * 60, "9" * 200, "a+" * 100, "a'" * 100, "aB" * 100, "ﷺ" * 200,
     "日本語" * 66, "0" * 200, "=" * 200, "'\\" * 100, "Z" + "\u0301" * 199, "\u0301" * 200],
)  # fmt: skip
def test_endless_names(name):
    """What goes on without a space is cut, on both sides alike."""
    product = index(name, description=name * 25)
    assert matches(name, product) or not terms.words(name)
    assert all(0 < len(term.encode()) <= 2046 for term in product.title)


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("かき", "がき"),  # another sound, another word
        ("24/7 kit", "247"),
        ("4.5 l pot", "45 l"),
        ("C primer", "c++"),
        ("Lamp", "lam"),
        ("5 l pot", "50 l"),
        ("ランタンプ", "ランプタ"),
        ("11/2 inch", "1½ inch hose"),
        ("Phone cable", "at&t cable"),
        ("2 in 1 shampoo", "inch shampoo"),
        ("Set of 5 in a box", "5 inch box"),
    ],
)
def test_what_is_something_else_is_not_found(name, search):
    """Forms are folded, not meanings."""
    assert not matches(search, index(name))


@pytest.mark.parametrize(
    "search", ["LMP-00123", "lmp00123", "lmp 00123", "00123", "lmp", "lmp-123"]
)
def test_parts_of_an_sku(search):
    """With or without what divides it."""
    assert matches(search, index("Halo", sku="LMP-00123"))


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("ケース 透明", "透明ケース"),
        ("램프", "램프를"),
        ("ランプ", "白ランプ"),
        ("ガラス製テーブル", "ガラステーブル"),
        ("C book", "c++ book"),
        ("无线蓝牙耳机", "蓝牙无线耳机"),  # the same words in another order
        ("Tシャツ 白", "Tシャツ白"),  # beside other letters
        ("갤럭시 케이스 S24", "갤럭시케이스s24"),
    ],
)
def test_relaxed_alternatives(name, search):
    """Only asked for when nothing is found as typed."""
    product = index(name)
    assert not matches(search, product)
    assert all(
        any(product.title.issuperset(found) for found in (*word.alternatives, *word.relaxed))
        for word in terms.words(search)
    )


def test_stop_words_count_only_where_there_is_nothing_else():
    """And they are terms of a title, not of a description."""
    assert [word.whole for word in terms.wanted(terms.words("a lamp for the desk"))] == [
        "lamp",
        "desk",
    ]
    assert [word.whole for word in terms.wanted(terms.words("to be or"))] == ["to", "be", "or"]
    product = index("The Lamp", description="It is for the desk")
    assert product.document & {"the", "for", "it", "desk"} == {"the", "desk"}


def test_attributes_are_texts_and_details():
    """Texts name a product as its name does; what is true and what is measured is told apart."""
    found = attributes.texts(
        {"colour": ["red", "blue"], "dishwasher_safe": True, "vegan": False, "diameter_cm": 26,
         "capacity_l": 1.5, "spf": 50, "": 7, "_": True}
    )  # fmt: skip
    assert found == (
        ["red", "blue"],
        ["dishwasher safe", "diameter 26cm", "capacity 1.5l", "50spf", "7", ""],
    )


def test_words_to_correct_to():
    """Words of letters as they are written, without their stems, for every alphabet."""
    product = index("Žižek's Lamps 40W", description="Плед for 2 of them")
    assert product.words == {"zizek", "zizeks", "lamps", "плед"}


def test_queries_quote_what_is_typed():
    """Operators and quotes of the query language mean nothing in what people type."""
    query = tsquery.as_typed("lamp' | !(b):*")
    assert query.words == "(('lamp')) & (('b'))"
    assert query.exact == "'=lamp b'"
    assert query.not_exact == "((('lamp')) & (('b'))) & !('=lamp b')"
    assert tsquery.as_typed("&| '!") is None


def test_stop_words_make_an_exact_match():
    """All words that were typed come before those that are wanted."""
    assert tsquery.as_typed("the lamp").exact == "'=the lamp' | (('the')) & (('lamp'))"


def test_a_corrected_query_takes_any_variant_of_each_word():
    """Each word, or what it begins, or what is near it, its halves, or both together."""
    words = terms.words("redd lampshade")
    query = tsquery.corrected(words, {"redd": ["red"]}, {"lampshade": ("lamp", "shade")})
    assert query.words == (
        "(('redd') | 'redd':* | 'red' | 'reddlampshad')"
        " & (('lampshad') | 'lampshad':* | ('lamp' & 'shade') | 'reddlampshad')"
    )
    assert query.exact is None


@pytest.mark.parametrize(
    ("search", "number"),
    [("10 000 mah", "10000"), ("shoe 42½", "42.5"), ("shoe 42 1/2", "42.5"), ("1 3/4", "1.75")],
)
def test_a_corrected_query_reads_two_numbers_as_one(search, number):
    """Thousands with a space between, and a fraction as decimals."""
    query = tsquery.corrected(terms.words(search), {}, {})
    assert query.words.count(f"'{number}'") == 2  # for both of them


def test_other_numbers_stay_two():
    """What is beside a number is mostly another one."""
    query = tsquery.corrected(terms.words("24 50 7/8"), {}, {})
    assert "2450" not in query.words
    assert "." not in query.words
