"""Names that are made up."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.products.fields import Sku, Slug
from products.catalog import naming


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Kitchen & Dining", "kitchen-dining"),
        ("Café Zubehör", "cafe-zubehor"),
        ("  --Sale!!  ", "sale"),
        ("2024", "category-2024"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Ærø & Þórshöfn", "aero-thorshofn"),
        ("Çiğ köfte, ılık", "cig-kofte-ilik"),
        ("Đồ gỗ", "do-go"),
        ("Организация вещей", "organizatsiia-veshchei"),
        ("Книги 2024", "knigi-2024"),
        ("Τσάντες", "tsantes"),
        ("カバン", "kaban"),
        ("カバン".replace("バ", "ハ\u3099"), "kaban"),  # the same, taken apart
        ("한국어", "hangugeo"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full-width"),
        ("Стулья, обувь", "stulia-obuv"),  # the soft sign is no gap
        ("ქართული", "kartuli"),
        ("မြန်မာ", "mnmaa"),
        ("العربية", "lrby"),
        ("ｶﾊﾞﾝ", "kaban"),
        ("𝔉𝔞𝔫𝔠𝔶", "fancy"),
        ("Rock’n’Roll", "rock-n-roll"),
        ("🦊🦊🦊", "category"),
        ("🦊 Fox", "fox"),
        ("1 + 1", "category-1-1"),
    ],
)
def test_slug_of_a_name(name, slug):
    """Readable, in small letters, and never mistaken for an id."""
    assert naming.slug(name, ()) == slug


def test_a_slug_leaves_room_for_a_number():
    """One of 80 characters has up to five digits."""
    assert naming.slug("x" * 200, ()) == "x" * 74
    assert naming.slug("x" * 75, {"x" * 74}) == "x" * 74 + "-2"


def test_slug_avoids_those_that_are_taken():
    """The second of a name gets a number."""
    assert naming.slug("Sale", {"sale", "sale-2"}) == "sale-3"


@given(st.text(max_size=100))
def test_any_name_gives_a_slug_that_can_be_sent_back(name):
    """What we make up passes our own validation, whatever alphabet the name is in."""
    slug = naming.slug(name, {"category"})
    assert Slug().deserialize(slug) == slug


def test_names_that_are_told_apart_by_letters_alone_get_numbers():
    """Two names may be written alike in Latin letters."""
    assert naming.slug("Łódź", {"lodz"}) == "lodz-2"
    assert naming.slug("🦊", {"category", "category-2"}) == "category-3"


def test_new_skus_differ():
    """A made-up SKU is a valid one and practically never taken."""
    skus = {naming.new_sku() for _ in range(200)}
    assert len(skus) == 200
    assert all(re.fullmatch("P-[A-Z0-9]{8}", Sku().deserialize(sku)) for sku in skus)
