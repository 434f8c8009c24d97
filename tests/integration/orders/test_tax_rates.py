"""The table of tax rates, as admins keep it."""

import datetime
import uuid

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import Conflict, Forbidden, Invalid, NotFound
from orders.service import OrdersService
from orders.taxes import commands, queries
from tests.integration.orders.world import ADMIN, STAFF, UsersStandIn

VAT = {"country": "NL", "rate": "21", "label": "VAT 21 %"}
DAY = datetime.timedelta(days=1)


@pytest.fixture
def taxes(start, call, clock):
    """The service, called as an admin."""
    start(OrdersService, UsersStandIn)

    class Taxes:
        def set(self, actor=ADMIN, **fields):
            return call.orders.create_tax_rate(actor=actor, **VAT | fields)

        def end(self, rate, actor=ADMIN, **fields):
            return call.orders.end_tax_rate(tax_rate_id=rate["id"], actor=actor, **fields)

        def list(self, actor=ADMIN, **fields):
            return call.orders.list_tax_rates(actor=actor, **fields)

    return Taxes()


@pytest.fixture
def in_force(config):
    """`in_force("US")`: what a checkout would read of a country's rates now: [(region, rate)]."""
    engine = sa.create_engine(configuration.database_url(config, "orders"))
    query = sa.text(f"SELECT {queries.document(':country', ':now')}")

    def read(country):
        now = Clock.source()
        with engine.connect() as connection:
            found = queries.entries(connection.scalar(query, {"country": country, "now": now}))
        held = [(one.place.region, str(one.rate.rate)) for one in found if one.holds(now)]
        return sorted(held, key=str)

    yield read
    engine.dispose()


def test_a_rate_is_listed_as_it_was_set(taxes):
    """Newest first, by pages; a region by its code."""
    dutch = taxes.set(valid_from="2019-01-01T00:00:00Z")
    books = taxes.set(tax_class="books", rate="9", label="VAT 9 %")
    golden = taxes.set(country="US", region="California", rate="7.250", label="Sales tax")
    assert (dutch["region"], dutch["tax_class"], dutch["rate"]) == (None, "standard", "21")
    assert (dutch["valid_from"], dutch["valid_until"]) == ("2019-01-01T00:00:00+00:00", None)
    assert (golden["region"], golden["rate"], golden["reason"]) == ("CA", "7.25", None)
    first = taxes.list(country="NL", limit=1)
    second = taxes.list(country="NL", limit=1, cursor=first["next"])
    listed = [*first["items"], *second["items"]]
    assert [one["id"] for one in listed] == [books["id"], dutch["id"]]
    assert second["next"] is None


def test_one_rate_holds_in_a_place_at_any_moment(taxes):
    """Another is refused, whenever it begins; one that follows, another region or class is not."""
    taxes.set(valid_from="2025-01-01T00:00:00Z", valid_until="2026-01-01T00:00:00Z")
    for begin, end in (
        ("2025-06-01T00:00:00Z", None),
        ("2024-01-01T00:00:00Z", None),
        ("2024-01-01T00:00:00Z", "2025-01-01T00:00:01Z"),
        ("2025-12-31T23:59:59Z", "2026-02-01T00:00:00Z"),
        ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ):
        with pytest.raises(Conflict) as refused:
            taxes.set(valid_from=begin, valid_until=end)
        assert refused.value.code == "tax_rate_overlaps"
    taxes.set(valid_from="2026-01-01T00:00:00Z")
    taxes.set(valid_from="2024-01-01T00:00:00Z", valid_until="2025-01-01T00:00:00Z")
    taxes.set(valid_from="2025-01-01T00:00:00Z", tax_class="books")
    taxes.set(valid_from="2025-01-01T00:00:00Z", country="BE")
    taxes.set(valid_from="2025-01-01T00:00:00Z", region="Limburg")


def test_a_country_has_so_many_rates(taxes, monkeypatch):
    """A checkout reads them all; those that are over do not count."""
    monkeypatch.setattr(commands, "MAX_RATES", 2)
    taxes.set(valid_from="2019-01-01T00:00:00Z", valid_until="2020-01-01T00:00:00Z")
    first = taxes.set()
    taxes.set(tax_class="books", rate="9", valid_from="2101-01-01T00:00:00Z")
    with pytest.raises(Invalid) as refused:
        taxes.set(tax_class="food", rate="9")
    assert set(refused.value.errors) == {"country"}
    taxes.end(first)
    taxes.set(tax_class="food", rate="9")


def test_two_admins_at_once_set_one(taxes, together):
    """The database decides, not a look before."""
    outcomes = together(*[lambda rate=rate: taxes.set(rate=rate) for rate in ("20", "21", "22")])
    assert [isinstance(one, Conflict) for one in outcomes].count(False) == 1
    assert len(taxes.list(country="NL")["items"]) == 1


def test_a_repeat_sets_nothing_more(taxes):
    """By its key; with another rate it is refused."""
    first = taxes.set(key="k")
    again = taxes.set(key="k")
    assert again == first | {"replayed": True}
    with pytest.raises(Invalid) as refused:
        taxes.set(key="k", rate="19")
    assert refused.value.code == "idempotency_key_reused"
    assert len(taxes.list()["items"]) == 1


def test_a_rate_ends_now_and_stays_in_the_list(taxes, in_force, clock):
    """What it has taxed can be looked up; a second end changes nothing."""
    rate = taxes.set()
    assert in_force("NL") == [(None, "21.000")]
    clock.advance(days=1)
    taxes.end(rate)
    assert in_force("NL") == []
    (ended,) = taxes.list()["items"]
    assert ended["valid_until"] is not None
    clock.advance(days=1)
    taxes.end(rate)
    assert taxes.list()["items"] == [ended]
    taxes.set(rate="22")
    assert in_force("NL") == [(None, "22.000")]


def test_a_rate_is_replaced_at_a_moment_to_come(taxes, in_force, clock):
    """The old one ends when the new one begins; in between nothing is untaxed."""
    turn = (Clock.source() + DAY).isoformat()
    old = taxes.set(rate="19")
    taxes.end(old, valid_until=turn)
    new = taxes.set(rate="21", valid_from=turn)
    assert in_force("NL") == [(None, "19.000")]
    clock.advance(days=2)
    assert in_force("NL") == [(None, "21.000")]
    assert [one["id"] for one in taxes.list()["items"]] == [new["id"], old["id"]]


def test_a_rate_that_never_held_is_deleted(taxes, clock):
    """It has taxed nothing; its place is free."""
    planned = {"valid_from": (Clock.source() + DAY).isoformat()}
    taxes.end(taxes.set(**planned))
    assert taxes.list()["items"] == []
    taxes.set(**planned)


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("rate", "-1", "rate"),
        ("rate", "100.001", "rate"),
        ("rate", "21.1234", "rate"),
        ("rate", 21.5, "rate"),
        ("rate", "NaN", "rate"),
        ("rate", "0", "reason"),
        ("rate", None, "rate"),
        ("reason", "export", "reason"),
        ("reason", "because", "reason"),
        ("country", "XX", "country"),
        ("country", "nl", "country"),
        ("country", None, "country"),
        ("label", " ", "label"),
        ("tax_class", "Standard!", "tax_class"),
        ("valid_from", "yesterday", "valid_from"),
        ("valid_from", "2027-01-01T00:00:00", "valid_from"),
        ("valid_until", "2001-01-01T00:00:00Z", "valid_until"),
        ("colour", "red", "colour"),
    ],
)
def test_bad_rates_are_refused(taxes, field, value, wrong):
    """With the field that is wrong; nothing is written."""
    with pytest.raises(Invalid) as refused:
        taxes.set(**{field: value})
    assert set(refused.value.errors) == {wrong}
    assert taxes.list()["items"] == []


def test_empty_ranges_and_strange_regions_are_refused(taxes):
    """From a moment to itself; a region of another country."""
    moment = "2026-01-01T00:00:00Z"
    with pytest.raises(Invalid) as refused:
        taxes.set(valid_from=moment, valid_until=moment)
    assert set(refused.value.errors) == {"valid_until"}
    with pytest.raises(Invalid) as refused:
        taxes.set(country="US", region="Bavaria")
    assert set(refused.value.errors) == {"region"}


def test_an_end_is_not_in_the_past(taxes, clock):
    """Orders were taxed by it; and what is not there cannot end."""
    rate = taxes.set()
    with pytest.raises(Invalid) as refused:
        taxes.end(rate, valid_until=(Clock.source() - DAY).isoformat())
    assert set(refused.value.errors) == {"valid_until"}
    with pytest.raises(NotFound):
        taxes.end({"id": str(uuid.uuid4())})


def test_rates_are_the_admins(taxes):
    """Staff neither set nor end nor see them."""
    rate = taxes.set()
    for refused in (
        lambda: taxes.set(actor=STAFF, country="BE"),
        lambda: taxes.end(rate, actor=STAFF),
        lambda: taxes.list(actor=STAFF),
    ):
        with pytest.raises(Forbidden):
            refused()
