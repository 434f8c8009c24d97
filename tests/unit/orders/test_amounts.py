"""What an order comes to."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders import amounts, division
from orders.amounts import Shipping
from orders.taxes.rules import TaxRate, assess


@dataclass(frozen=True)
class Priced:
    unit_price: Decimal
    quantity: int
    tax_class: str = "standard"
    discount: Decimal = Decimal(0)


def lines(*priced, off="0", places=2):
    """`(quantity, price)` or `(quantity, price, tax class)`, with `off` divided among them."""
    listed = [Decimal(price) * quantity for quantity, price, *_ in priced]
    parts = division.share(Decimal(off), listed, places)
    return [
        Priced(Decimal(price), quantity, *tax_class, discount=part)
        for (quantity, price, *tax_class), part in zip(priced, parts, strict=True)
    ]


def rates(**percent):
    return {name: TaxRate(Decimal(rate), f"{name} {rate} %") for name, rate in percent.items()}


def settle(lines, shipping, rates, *, prices_include_tax, places=2):
    """What they come to at these rates."""
    how = {"prices_include_tax": prices_include_tax, "places": places}
    estimate = assess(amounts.charged(lines, shipping), rates, **how)
    return amounts.settle(lines, shipping, estimate, **how)


def shipping(amount, tax_class="standard"):
    return Shipping(Decimal(amount), tax_class)


def of_lines(settled, what):
    return [str(getattr(line, what)) for line in settled.lines]


def test_without_rates_and_shipping_it_is_the_sum():
    """As a shop that has set up neither sells."""
    settled = settle(lines((2, "19.99"), (1, "4.50")), None, {}, prices_include_tax=True)
    assert (settled.subtotal, settled.net, settled.total) == (Decimal("44.48"),) * 3
    assert (settled.tax, settled.shipping, settled.discount) == (Decimal(0),) * 3
    assert settled.taxes == ()
    assert of_lines(settled, "total") == ["39.98", "4.50"]


def test_tax_is_rounded_once_for_each_rate():
    """Per line it would be 6.73."""
    priced = lines((3, "9.99"), (1, "4.95"), (2, "0.37"), off="3.57")
    settled = settle(priced, None, rates(standard="21"), prices_include_tax=False)
    assert (str(settled.subtotal), str(settled.discount)) == ("35.66", "3.57")
    assert of_lines(settled, "discount") == ["3.00", "0.50", "0.07"]
    assert of_lines(settled, "net") == ["26.97", "4.45", "0.67"]
    assert of_lines(settled, "tax") == ["5.66", "0.94", "0.14"]
    assert of_lines(settled, "total") == ["32.63", "5.39", "0.81"]
    assert (str(settled.net), str(settled.tax), str(settled.total)) == ("32.09", "6.74", "38.83")


def test_half_of_what_was_paid_comes_back_for_half_of_the_units():
    """The discount and the tax of each unit with it."""
    priced = lines((2, "100"), off="20.00")
    settled = settle(priced, None, rates(standard="10"), prices_include_tax=False)
    assert str(settled.total) == "198.00"
    assert division.upto(settled.lines[0].total, 1, 2) == Decimal("99.00")


def test_a_discount_of_all_leaves_nothing_to_tax():
    """The total is 0.00."""
    priced = lines((2, "11.50"), off="23.00")
    settled = settle(priced, None, rates(standard="15"), prices_include_tax=False)
    assert (str(settled.net), str(settled.tax), str(settled.total)) == ("0.00", "0.00", "0.00")


def test_prices_that_include_tax_stay_what_is_paid():
    """The tax is worked out of them: of 119.00 at 19 % it is 19.00."""
    settled = settle(
        lines((1, "99.00"), (1, "10.70", "reduced")),
        shipping("20.00"),
        rates(standard="19", reduced="7"),
        prices_include_tax=True,
    )
    assert [(tax.tax_class, str(tax.taxable), str(tax.amount)) for tax in settled.taxes] == [
        ("reduced", "10.00", "0.70"),
        ("standard", "100.00", "19.00"),
    ]
    assert str(settled.total) == "129.70"
    assert (str(settled.shipping), str(settled.shipping_tax)) == ("20.00", "3.19")
    assert of_lines(settled, "tax") == ["15.81", "0.70"]


def test_shipping_is_taxed_with_what_has_its_class():
    """Rounded together, then divided: 0.10 of 21 % would be 0.02 twice."""
    settled = settle(
        lines((1, "0.10")), shipping("0.10"), rates(standard="21"), prices_include_tax=False
    )
    assert (str(settled.tax), str(settled.shipping_tax)) == ("0.04", "0.02")
    assert (str(settled.net), str(settled.total)) == ("0.20", "0.24")


def test_a_rate_of_nothing_is_shown_with_its_reason():
    """And a class that has no rate is not."""
    zero = {"standard": TaxRate(Decimal(0), "Export", "export")}
    priced = lines((1, "10.00"), (1, "5.00", "books"))
    (tax,) = settle(priced, None, zero, prices_include_tax=True).taxes
    assert (tax.reason, tax.taxable, tax.amount) == ("export", Decimal("10.00"), Decimal("0.00"))


def test_a_currency_without_places():
    """Whole yen: 1,000 with 10 % in it."""
    settled = settle(
        lines((3, "333"), (1, "1"), places=0), None, rates(standard="10"),
        prices_include_tax=True, places=0,
    )  # fmt: skip
    assert (str(settled.net), str(settled.tax), str(settled.total)) == ("909", "91", "1000")
    assert of_lines(settled, "tax") == ["91", "0"]


@st.composite
def orders(draw):
    places = draw(st.sampled_from([0, 2, 3]))
    money = st.integers(0, 10**6).map(lambda units: Decimal(units).scaleb(-places))
    classes = st.sampled_from(["standard", "reduced", "zero", "untaxed"])
    priced = draw(st.lists(st.tuples(st.integers(1, 50), money, classes), min_size=1, max_size=8))
    subtotal = sum(price * quantity for quantity, price, _ in priced)
    off = draw(st.integers(0, int(subtotal.scaleb(places)))) if subtotal else 0
    off = Decimal(off).scaleb(-places)
    percent = st.decimals(0, 60, places=3)
    known = rates(standard=draw(percent), reduced=draw(percent), zero=0)
    ship = draw(st.none() | st.builds(shipping, money, classes))
    return lines(*priced, off=off, places=places), ship, known, draw(st.booleans()), places


@given(orders())
def test_everything_adds_up(order):
    """Lines and shipping to the rates, net and tax to the total, to the last place."""
    priced, ship, known, is_included, places = order
    settled = settle(priced, ship, known, prices_include_tax=is_included, places=places)
    assert settled.total == (
        settled.subtotal - settled.discount + settled.shipping
        + (0 if is_included else settled.tax)
    )  # fmt: skip
    shipping_net = settled.shipping - (settled.shipping_tax if is_included else 0)
    assert settled.net == sum(line.net for line in settled.lines) + shipping_net
    assert settled.tax == sum(line.tax for line in settled.lines) + settled.shipping_tax
    assert settled.tax == sum(tax.amount for tax in settled.taxes)
    unit = Decimal(1).scaleb(-places)
    for tax in settled.taxes:
        base = tax.taxable + tax.amount if is_included else tax.taxable
        divisor = 100 + tax.rate if is_included else Decimal(100)
        assert tax.amount == (base * tax.rate / divisor).quantize(unit, ROUND_HALF_UP)
    for line, one in zip(settled.lines, priced, strict=True):
        assert line.net >= 0
        assert line.tax >= 0
        paid = one.unit_price * one.quantity - one.discount
        assert line.total == (paid if is_included else paid + line.tax)
