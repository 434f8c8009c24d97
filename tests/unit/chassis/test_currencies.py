"""Which currencies there are, and their smallest coins."""

from decimal import Decimal

import pytest

from chassis import currencies


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
