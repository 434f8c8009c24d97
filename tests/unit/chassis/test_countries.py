"""How regions and postal codes are compared, whoever wrote them."""

import pytest

from chassis import countries


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("California", "US", "CA"),
        (" ca ", "US", "CA"),
        ("us-ca", "US", "CA"),
        ("Québec", "CA", "QC"),
        ("quebec", "CA", "QC"),
        ("Álava", "ES", "VI"),
        ("Tokyo", "JP", countries.region("東京都", "JP")),
        ("Baden-Württemberg", "DE", "BADEN-WURTTEMBERG"),
        ("Nowhere  at all", "US", "NOWHERE AT ALL"),
    ],
)
def test_a_region_is_known_by_its_code_and_its_names(written, country, key):
    """In either case, with or without accents; elsewhere by its words."""
    assert countries.region(written, country) == key


def test_a_key_is_its_own_key():
    """What is kept of a region can be compared again."""
    for country in countries.CODES:
        for code in set(countries.rules_of(country).regions.values()):
            assert countries.region(code, country) == code


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("3511 ab", "NL", "3511AB"),
        ("3511", "NL", "3511"),
        ("LV-1010", "LV", "1010"),
        ("1010", "LV", "1010"),
        ("10", "LV", "10"),
        ("D-10115", "DE", "10115"),
        ("bt1 1aa", "GB", "BT11AA"),
        ("bt", "GB", "BT"),
        ("10001-1234", "US", "100011234"),
        ("〒100-0001", "JP", "1000001"),
    ],
)
def test_a_postal_code_is_compared_without_what_stands_between(written, country, key):
    """Nor with the country's letters in front; and so is the beginning of one."""
    assert countries.postal_key(written, country) == key
