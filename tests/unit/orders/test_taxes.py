"""Which rate applies where and when, and what tax it comes to."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import currencies
from chassis.errors import Invalid
from orders.taxes.rules import (
    Entry,
    Place,
    RateTable,
    Taxable,
    TaxRate,
    applying,
    assess,
    check_region,
    place_of,
)

NEW_YEAR = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def entry(
    percent, country="NL", region=None, tax_class="standard", since=NEW_YEAR - DAY, until=None
):
    rate = TaxRate(Decimal(percent), f"VAT {percent} %")
    return Entry(Place(country, region), tax_class, rate, since, until)


def found(entries, place, at=NEW_YEAR):
    return {name: str(rate.rate) for name, rate in applying(entries, place, at).items()}


def test_a_region_goes_before_its_country():
    """In whichever order they are listed; another region's rate is for nobody else."""
    entries = [
        entry("7.25", "US", "CA"),
        entry("4", "US", "NY"),
        entry("1", "US"),
        entry("2", "US", tax_class="books"),
        entry("21", "NL"),
    ]
    for listed in (entries, entries[::-1]):
        assert found(listed, Place("US", "CA")) == {"standard": "7.25", "books": "2"}
        assert found(listed, Place("US", "TX")) == {"standard": "1", "books": "2"}
        assert found(listed, Place("US", None)) == {"standard": "1", "books": "2"}
        assert found(listed, Place("FR", None)) == {}


def test_a_rate_holds_from_its_first_moment_on_and_before_its_last():
    """So one ends at the moment at which the next begins."""
    entries = [entry("19", until=NEW_YEAR), entry("21", since=NEW_YEAR)]
    place = Place("NL", None)
    assert found(entries, place, NEW_YEAR - datetime.timedelta(microseconds=1))["standard"] == "19"
    assert found(entries, place, NEW_YEAR)["standard"] == "21"
    assert found(entries[:1], place, NEW_YEAR + DAY) == {}
    assert found(entries, place, NEW_YEAR - 2 * DAY) == {}


def test_an_address_names_its_region_in_words():
    """As people write it."""
    assert place_of({"country": "US", "region": " california "}) == Place("US", "CA")
    assert place_of({"country": "NL", "region": None}) == Place("NL", None)
    assert place_of({"country": "NL"}) == Place("NL", None)


@pytest.mark.parametrize(
    ("written", "country", "is_known"),
    [
        ("CA", "US", True),
        ("us-tx", "US", True),
        (None, "US", True),
        ("Calif.", "US", False),
        ("Calif.", "CA", True),  # no rate there is of a region
        ("Utrecht", "NL", True),  # the data has no regions of that country
    ],
)
def test_a_region_has_to_be_known_where_rates_differ_by_it(written, country, is_known):
    """Else it would be taxed like a region that it is not."""
    entries = [entry("7.25", "US", "CA"), entry("5", "CA"), entry("9", "NL", "UTRECHT")]
    address = {"country": country, "region": written}
    if is_known:
        check_region(entries, address)
    else:
        with pytest.raises(Invalid) as unknown:
            check_region(entries, address)
        assert "Calif." in unknown.value.errors["shipping_address"][0]


@pytest.mark.parametrize(
    ("currency", "amounts", "rate", "included", "taxable", "tax", "parts"),
    [
        # Half a cent is rounded up: 0.125 and 0.375.
        ("EUR", ["1.25"], "10", False, "1.25", "0.13", ["0.13"]),
        ("EUR", ["1.25", "2.50"], "10", False, "3.75", "0.38", ["0.13", "0.25"]),
        # By the line it would be 6.73.
        ("EUR", ["26.97", "4.45", "0.67"], "21", False, "32.09", "6.74", ["5.66", "0.94", "0.14"]),
        ("EUR", ["35.66"], "21", True, "29.47", "6.19", ["6.19"]),
        ("EUR", ["0.01", "0.01", "0.01"], "21", True, "0.02", "0.01", ["0.01", "0.00", "0.00"]),
        # No sen, and a thousand fils.
        ("JPY", ["1000"], "10", False, "1000", "100", ["100"]),
        ("JPY", ["999", "1"], "10", True, "909", "91", ["91", "0"]),
        ("JPY", ["5"], "10", False, "5", "1", ["1"]),
        ("KWD", ["9.995", "0.010"], "5", False, "10.005", "0.500", ["0.500", "0.000"]),
        ("KWD", ["10.500"], "5", True, "10.000", "0.500", ["0.500"]),
        # Nothing to tax, and all of it.
        ("EUR", ["0.00", "0.00"], "15", False, "0.00", "0.00", ["0.00", "0.00"]),
        ("EUR", ["10.00"], "100", True, "5.00", "5.00", ["5.00"]),
        ("EUR", ["10.00"], "0", True, "10.00", "0.00", ["0.00"]),
        ("EUR", ["99999999.99"], "21", True, "82644628.09", "17355371.90", ["17355371.90"]),
    ],
)
def test_worked_by_hand(currency, amounts, rate, included, taxable, tax, parts):
    """Rounded once, half up, to the places of the currency, then divided."""
    charged = [Taxable(Decimal(amount), "standard") for amount in amounts]
    estimate = assess(
        charged,
        {"standard": TaxRate(Decimal(rate), "VAT")},
        prices_include_tax=included,
        places=currencies.places(currency),
    )
    (row,) = estimate.taxes
    assert (str(row.taxable), str(row.amount)) == (taxable, tax)
    assert [str(part) for part in estimate.parts] == parts


def test_what_has_no_rate_is_not_taxed():
    """And is in no row."""
    rates = {"standard": TaxRate(Decimal(21), "VAT"), "zero": TaxRate(Decimal(0), "-", "export")}
    charged = [Taxable(Decimal("10.00"), one) for one in ("books", "zero", "standard")]
    estimate = assess(charged, rates, prices_include_tax=False, places=2)
    assert [(tax.tax_class, tax.reason) for tax in estimate.taxes] == [
        ("standard", None),
        ("zero", "export"),
    ]
    assert [str(part) for part in estimate.parts] == ["0.00", "0.00", "2.10"]


def test_the_table_estimates_for_an_address_at_a_moment():
    """Each part of it with what it is of; elsewhere and later nothing."""
    table = RateTable([entry("21", until=NEW_YEAR + DAY)], prices_include_tax=False, places=2)
    charged = [Taxable(Decimal("10.00"), "standard")]
    estimate = table.estimate(charged, {"country": "NL", "region": "Utrecht"}, NEW_YEAR)
    assert [str(part) for part in estimate.parts] == ["2.10"]
    for country, at in (("BE", NEW_YEAR), ("NL", NEW_YEAR + DAY)):
        assert table.estimate(charged, {"country": country}, at) == ((), (Decimal("0.00"),))


@st.composite
def sales(draw):
    places = draw(st.sampled_from([0, 2, 3, 4]))
    money = st.integers(0, 10**7).map(lambda units: Decimal(units).scaleb(-places))
    classes = st.sampled_from(["standard", "reduced", "zero", "untaxed"])
    charged = draw(st.lists(st.builds(Taxable, money, classes), min_size=1, max_size=10))
    percent = st.decimals(0, 100, places=3)
    rates = {name: TaxRate(draw(percent), name) for name in ("standard", "reduced")}
    rates["zero"] = TaxRate(Decimal(0), "zero", "zero_rated")
    return charged, rates, draw(st.booleans()), places


@given(sales())
def test_rows_are_rounded_once_and_parts_add_up(sale):
    """Each row is its rate of its sum; each part is its exact one rounded down or up."""
    charged, rates, is_included, places = sale
    estimate = assess(charged, rates, prices_include_tax=is_included, places=places)
    unit = Decimal(1).scaleb(-places)
    assert [tax.tax_class for tax in estimate.taxes] == sorted(
        {one.tax_class for one in charged} - {"untaxed"}
    )
    for tax in estimate.taxes:
        amounts = [one.amount for one in charged if one.tax_class == tax.tax_class]
        whole = 100 + tax.rate if is_included else Decimal(100)
        exact = sum(amounts) * tax.rate / whole
        assert tax.amount == exact.quantize(unit, ROUND_HALF_UP)
        assert tax.taxable == sum(amounts) - (tax.amount if is_included else 0)
        parts = [
            part
            for one, part in zip(charged, estimate.parts, strict=True)
            if one.tax_class == tax.tax_class
        ]
        assert sum(parts) == tax.amount
        for amount, part in zip(amounts, parts, strict=True):
            share = tax.amount * amount / sum(amounts) if amount else Decimal(0)
            assert abs(part - share) < unit
            assert part == part.quantize(unit)
            assert 0 <= part <= (amount if is_included else part)
    assert sum(estimate.parts) == sum(tax.amount for tax in estimate.taxes)
