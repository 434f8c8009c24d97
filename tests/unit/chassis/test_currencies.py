"""Which currencies there are, and their smallest coins."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import currencies
from chassis.errors import Invalid

CODES = st.sampled_from(sorted(currencies.CODES))
AMOUNTS = st.decimals(0, 10**12, places=6)


@pytest.mark.parametrize(
    ("codes", "places"),
    [
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0),
        ("EUR USD GBP CHF CZK HUF MGA", 2),
        ("BHD IQD JOD KWD LYD OMR TND", 3),
        ("CLF UYW", 4),
    ],
)
def test_places(codes, places):
    """As ISO 4217 has them; two where it says nothing else."""
    assert {currencies.places(code) for code in codes.split()} == {places}


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [
        ("9.50", "EUR", True),
        ("9.501", "EUR", False),
        ("9.500", "EUR", True),
        ("9.00", "JPY", True),
        ("9.50", "JPY", False),
        ("9.501", "KWD", True),
        ("9.5001", "KWD", False),
        ("-9.50", "EUR", True),
        ("-9.509", "EUR", False),
    ],
)
def test_what_can_be_paid(amount, currency, fits):
    """A part of the smallest coin is never rounded away, nor up."""
    assert currencies.fits(Decimal(amount), currency) is fits


@pytest.mark.parametrize(
    ("code", "is_there"),
    [("EUR", True), ("JPY", True), ("KWD", True), ("DEM", False), ("CHE", False), ("XAU", False)],
)
def test_what_is_in_circulation(code, is_there):
    """Neither what has ended, nor what is no legal tender, nor gold."""
    assert (code in currencies.CODES) is is_there


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("9.9", "EUR", "9.90"),
        ("12", "EUR", "12.00"),
        ("1200.00", "JPY", "1200"),
        ("9.995", "KWD", "9.995"),
        ("9.5", "KWD", "9.500"),
        ("0", "EUR", "0.00"),
        ("1.2", "UYW", "1.2000"),
    ],
)
def test_an_amount_has_the_places_of_its_currency(amount, currency, written):
    """However it was written."""
    assert str(currencies.exact(Decimal(amount), currency)) == written


@pytest.mark.parametrize(
    ("amount", "currency", "places"), [("9.995", "EUR", 2), ("0.5", "JPY", 0), ("0.0001", "KWD", 3)]
)
def test_what_has_no_coins_is_refused(amount, currency, places):
    """And the caller learns what the currency has."""
    with pytest.raises(Invalid) as refused:
        currencies.exact(Decimal(amount), currency, "price")
    told = {"price": [f"{currency} has {places} decimal places."]}
    assert refused.value.errors == told


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("0.015", "EUR", "0.02"),
        ("0.0149999", "EUR", "0.01"),
        ("0.5", "JPY", "1"),
        ("1.5", "JPY", "2"),
        ("0.0005", "KWD", "0.001"),
    ],
)
def test_half_a_coin_is_rounded_up(amount, currency, rounded):
    """Not to the next even one, as Python does."""
    assert str(currencies.rounded(Decimal(amount), currency)) == rounded


@given(AMOUNTS, CODES)
def test_of_all_currencies(amount, currency):
    """At most half a coin is lost or gained; what is rounded is exact, with its places, and nothing
    is added to it by more."""
    rounded = currencies.rounded(amount, currency)
    places = currencies.places(currency)
    assert rounded.as_tuple().exponent == -places
    coin = Fraction(1, 10**places)
    assert -coin / 2 < Fraction(rounded) - Fraction(amount) <= coin / 2 or rounded == amount
    assert rounded == amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert currencies.fits(amount, currency) is (rounded == amount)
    assert str(currencies.exact(rounded, currency)) == str(rounded)
    assert str(rounded + currencies.zero(currency)) == str(rounded)
