"""Shipping zones and methods, as admins keep them."""

import uuid
from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from contracts.orders import shipping as contract
from orders.shipping import store
from tests.integration.orders.world import ADMIN, STAFF

NL = {"country": "NL"}
BE = {"country": "BE"}


@pytest.fixture
def orders(running, call):
    return call.orders


@pytest.fixture
def zone(orders):
    """`zone("Benelux", NL, BE)`: the id of a new zone."""

    def create(name="Benelux", *members, **request):
        members = list(members) or [NL, BE]
        return orders.create_shipping_zone(name=name, members=members, **request)["id"]

    return create


@pytest.fixture
def method(orders):
    """`method(zone_id, code="standard", price="4.95")`: a new method."""

    def create(zone_id, code="standard", price="4.95", **fields):
        return orders.create_shipping_method(
            zone_id=zone_id, code=code, name=code.title(), price=price, **fields
        )

    return create


def parts(country, region=None, postal_from=None, postal_to=None):
    return {
        "country": country, "region": region, "postal_from": postal_from, "postal_to": postal_to
    }  # fmt: skip


def test_a_zone_is_kept_as_it_is_compared(orders):
    """Regions by their codes, postal codes without what stands between; in the order given."""
    members = [
        NL,
        {"country": "US", "region": "california"},
        {"country": "GB", "postal_from": "bt1 1", "postal_to": "BT99"},
    ]
    made = orders.create_shipping_zone(name="Mixed", members=members)
    assert made["members"] == [parts("NL"), parts("US", "CA"), parts("GB", None, "BT11", "BT99")]
    assert (made["version"], made["replayed"]) == (1, False)
    found = orders.get_shipping_zone(zone_id=made["id"])
    assert found == {name: made[name] for name in contract.ShippingZone().fields}


def test_a_zone_is_changed_as_a_whole(orders, zone):
    """Members replace those that were there; a version that is not its own any more is refused."""
    one = zone("Benelux")
    changed = orders.update_shipping_zone(zone_id=one, members=[BE, {"country": "LU"}], version=1)
    assert changed["members"] == [parts("BE"), parts("LU")]
    assert orders.update_shipping_zone(zone_id=one, name="Rest")["name"] == "Rest"
    assert orders.update_shipping_zone(zone_id=one)["version"] == 3
    for write in (orders.update_shipping_zone, orders.delete_shipping_zone):
        with pytest.raises(PreconditionFailed) as stale:
            write(zone_id=one, version=1)
        assert stale.value.data["version"] == 3


def test_a_repeat_makes_no_second_one(orders, zone, method):
    """Under its key; another request under it is refused."""
    once = zone("Benelux", key="one", actor=ADMIN)
    again = orders.create_shipping_zone(name="Benelux", members=[NL, BE], key="one", actor=ADMIN)
    assert (again["id"], again["replayed"]) == (once, True)
    with pytest.raises(Invalid) as reused:
        zone("Other", NL, key="one", actor=ADMIN)
    assert reused.value.code == "idempotency_key_reused"
    first = method(once, key="two", actor=ADMIN)
    assert method(once, key="two", actor=ADMIN) == first | {"replayed": True}
    assert len(orders.list_shipping_methods()["items"]) == 1


def test_zones_do_not_overlap(orders, zone):
    """The fault names who is in the way; nothing of the other is written. Of another kind, members
    lie within each other."""
    first = zone("Benelux", NL, BE, {"country": "GB", "postal_from": "BT", "postal_to": "BT"})
    codes = {"country": "GB", "postal_from": "BT9", "postal_to": "EH"}
    with pytest.raises(Conflict) as refused:
        zone("More", {"country": "LU"}, codes, NL)
    assert refused.value.code == "zones_overlap"
    in_the_way = refused.value.data["members"]
    assert [one["country"] for one in in_the_way] == ["NL", "GB"]
    assert {one["zone_id"] for one in in_the_way} == {first}
    zone("Parts", {"country": "NL", "region": "Utrecht"}, {"country": "GB"})
    other = zone("Codes", {"country": "NL", "postal_from": "10", "postal_to": "19"})
    with pytest.raises(Conflict):
        orders.update_shipping_zone(zone_id=other, members=[{"country": "LU"}, BE])
    assert orders.get_shipping_zone(zone_id=other)["members"] == [parts("NL", None, "10", "19")]
    names = [one["name"] for one in orders.list_shipping_zones()["items"]]
    assert names == ["Benelux", "Codes", "Parts"]


def test_two_zones_made_at_once_do_not_overlap_either(orders, together):
    """One of them is there, the other refused."""

    def make(name):
        return orders.create_shipping_zone(name=name, members=[NL])["name"]

    outcomes = together(*[lambda name=name: make(name) for name in ("One", "Two", "Three")])
    refused = [one for one in outcomes if isinstance(one, Conflict)]
    assert [one.code for one in refused] == ["zones_overlap"] * 2


def test_the_database_has_the_last_word(sql):
    """Whatever the code does, an address is in one zone."""
    names = "unnest(ARRAY['One', 'Two']) AS n"
    sql("orders", f"INSERT INTO shipping_zones SELECT gen_random_uuid(), n, 1 FROM {names}")
    for columns, values in (
        ("country", "'NL'"),
        ("country, region", "'US', 'CA'"),
        ("country, postal_from, postal_to", "'NL', '10', '19'"),
    ):
        position = len(columns)
        write = f"INSERT INTO zone_members (zone_id, position, {columns})"
        write += f" SELECT id, {position}, {values} FROM shipping_zones WHERE name ="
        sql("orders", f"{write} 'One'")
        with pytest.raises(IntegrityError):
            sql("orders", f"{write} 'Two'")


#: Members that are no part of the world.
NOWHERE = [
    {"country": "XX"},
    {"country": "nl"},
    {"country": "NL", "region": "Utrecht", "postal_from": "1", "postal_to": "2"},
    {"country": "NL", "postal_from": "1"},
    {"country": "NL", "postal_to": "1"},
    {"country": "NL", "postal_from": "2", "postal_to": "1"},
    {"country": "NL", "postal_from": "1%", "postal_to": "2_"},
    {"country": "NL", "postal_from": 1, "postal_to": 2},
    {"country": "NL", "city": "Utrecht"},
    BE,
    {},
    None,
]


def test_what_is_no_part_of_the_world(orders):
    """Is named, and no zone made."""
    for member in NOWHERE:
        with pytest.raises(Invalid) as refused:
            orders.create_shipping_zone(name="Wrong", members=[BE, member])
        assert list(refused.value.errors["members"]) == ["1"], member
    assert orders.list_shipping_zones()["items"] == []


def test_a_zone_has_members_and_a_bound(orders, monkeypatch):
    """None, or more of a country than there may be, is refused."""
    with pytest.raises(Invalid):
        orders.create_shipping_zone(name="Empty", members=[])
    monkeypatch.setattr(store, "MAX_MEMBERS", 3)
    regions = [{"country": "US", "region": region} for region in ("CA", "NY", "TX", "WA")]
    orders.create_shipping_zone(name="West", members=regions[:2])
    with pytest.raises(Conflict) as refused:
        orders.create_shipping_zone(name="Rest", members=regions[2:])
    assert (refused.value.code, refused.value.data["limit"]) == ("too_many_zone_members", 3)


def test_a_shop_has_so_many_zones(orders, zone, together, monkeypatch):
    """For each checkout reads the currencies of all their methods; also of those made at once."""
    monkeypatch.setattr(store, "MAX_ZONES", 2)
    zone("Benelux", NL, BE)
    made = partial(orders.create_shipping_zone, name="Alps", members=[{"country": "AT"}], key="a")
    assert made()["replayed"] is False
    with pytest.raises(Conflict) as refused:
        zone("North", {"country": "DK"})
    assert (refused.value.code, refused.value.data["limit"]) == ("too_many_shipping_zones", 2)
    assert made()["replayed"] is True
    orders.delete_shipping_zone(zone_id=made()["id"])
    countries = ("DK", "SE", "NO")
    outcomes = together(*(partial(zone, one, {"country": one}) for one in countries))
    assert sum(isinstance(one, Exception) for one in outcomes) == 2


def test_names_of_zones_are_taken_once(orders, zone):
    """As are codes of methods in a zone, for each currency."""
    zone("Benelux", NL)
    other = zone("Belgium", BE)
    for write in (
        lambda: zone("Benelux", {"country": "LU"}),
        lambda: orders.update_shipping_zone(zone_id=other, name="Benelux"),
    ):
        with pytest.raises(Conflict) as taken:
            write()
        assert (taken.value.code, taken.value.data["field"]) == ("already_exists", "name")


def test_a_method_of_a_zone(orders, zone, method):
    """Has defaults, and keeps what it is not asked to change."""
    made = method(zone(), free_from="50.00", min_days=1, max_days=3)
    assert made.pop("replayed") is False
    assert made | {"id": None, "zone_id": None} == {
        "id": None, "zone_id": None, "code": "standard", "name": "Standard",
        "tax_class": "standard", "currency": "EUR", "price": "4.95", "free_from": "50.00",
        "min_weight_g": 0, "max_weight_g": None, "min_days": 1, "max_days": 3, "active": True,
        "version": 1,
    }  # fmt: skip
    of_it = {"method_id": made["id"]}
    changed = orders.update_shipping_method(**of_it, price="5.45", free_from=None, version=1)
    assert changed == made | {"price": "5.45", "free_from": None, "version": 2}
    assert orders.get_shipping_method(**of_it) == changed
    assert orders.update_shipping_method(**of_it) == changed
    with pytest.raises(PreconditionFailed):
        orders.update_shipping_method(**of_it, active=False, version=1)


def test_prices_have_the_places_of_their_currency(orders, zone, method):
    """However they were sent, and another currency's when that is changed."""
    one = zone()
    euros = method(one, price="5", free_from="50.0")
    assert (euros["price"], euros["free_from"]) == ("5.00", "50.00")
    dinars = method(one, price="1.25", currency="KWD")
    assert dinars["price"] == "1.250"
    yen = orders.update_shipping_method(method_id=euros["id"], currency="JPY")
    assert (yen["price"], yen["free_from"]) == ("5", "50")
    with pytest.raises(Invalid):
        orders.update_shipping_method(method_id=dinars["id"], currency="EUR", price="1.255")
    assert method(one, "gift", price="0")["price"] == "0.00"


def test_codes_are_taken_once_in_a_zone_and_currency(orders, zone, method):
    """In another zone or currency they mean another method."""
    here, there = zone("Here", NL), zone("There", BE)
    method(here)
    method(here, currency="USD")
    method(there)
    other = method(here, "express")
    for write in (
        lambda: method(here),
        lambda: orders.update_shipping_method(method_id=other["id"], code="standard"),
    ):
        with pytest.raises(Conflict) as taken:
            write()
        assert (taken.value.code, taken.value.data["field"]) == ("already_exists", "code")


#: What a method cannot have, and the field that is wrong.
FAULTY = [
    ({"price": "-1.00"}, "price"),
    ({"price": "1000000000000"}, "price"),
    ({"price": 4.95}, "price"),
    ({"price": "4.955"}, "price"),
    ({"price": "4.95", "currency": "JPY"}, "price"),
    ({"price": "5", "currency": "JPY", "free_from": "0.50"}, "free_from"),
    ({"currency": "XXX"}, "currency"),
    ({"free_from": "-1"}, "free_from"),
    ({"min_weight_g": -1}, "min_weight_g"),
    ({"max_weight_g": -1}, "max_weight_g"),
    ({"min_weight_g": 500, "max_weight_g": 499}, "max_weight_g"),
    ({"max_weight_g": 10**9}, "max_weight_g"),
    ({"max_weight_g": 1.5}, "max_weight_g"),
    ({"min_days": 4, "max_days": 3}, "max_days"),
    ({"max_days": 400}, "max_days"),
    ({"tax_class": "Standard rate"}, "tax_class"),
    ({"code": "Not a code"}, "code"),
    ({"name": "two\nlines"}, "name"),
    ({"active": "yes"}, "active"),
    ({"zone_id": str(uuid.uuid4())}, "zone_id"),
    ({"zone_id": None}, "zone_id"),
    ({"zone_id": 1}, "zone_id"),
]


def test_a_method_that_cannot_be(orders, zone, method):
    """Is refused by the field that is wrong, and not made; nor is one made so later."""
    one = zone()
    whole = {"zone_id": one, "code": "parcel", "name": "Parcel", "price": "4.95"}
    for fields, faulty in FAULTY:
        with pytest.raises(Invalid) as refused:
            orders.create_shipping_method(**whole | fields)
        assert set(refused.value.errors) == {faulty}
    assert orders.list_shipping_methods()["items"] == []
    made = method(one)
    for fields, _ in FAULTY:
        with pytest.raises(Invalid):
            orders.update_shipping_method(method_id=made["id"], **fields)
    made.pop("replayed")
    assert orders.get_shipping_method(method_id=made["id"]) == made


def test_a_zone_has_so_many_methods(zone, method, monkeypatch):
    """Those of a quote are one answer, so they end somewhere."""
    monkeypatch.setattr(store, "MAX_METHODS", 2)
    one = zone()
    for code in ("standard", "express"):
        method(one, code)
    with pytest.raises(Conflict) as refused:
        method(one, "pigeon")
    assert (refused.value.code, refused.value.data["limit"]) == ("too_many_shipping_methods", 2)


def test_methods_go_with_their_zone(orders, zone, method):
    """And its addresses are free for another; a method for no zone is not to be had."""
    one = zone("Benelux", NL, BE)
    made = method(one)
    orders.delete_shipping_zone(zone_id=one, version=1)
    for missing in (
        lambda: orders.get_shipping_method(method_id=made["id"]),
        lambda: orders.update_shipping_method(method_id=made["id"], active=False),
        lambda: orders.get_shipping_zone(zone_id=one),
        lambda: orders.update_shipping_zone(zone_id=one, name="Gone"),
        lambda: orders.delete_shipping_zone(zone_id=one),
    ):
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(Invalid):
        method(one)
    zone("Again", NL, BE)


def test_a_method_for_a_zone_that_goes_meanwhile(orders, zone, method, together):
    """It is refused, or goes with it."""
    for _ in range(5):
        one = zone()
        together(partial(method, one), partial(orders.delete_shipping_zone, zone_id=one))
        assert orders.list_shipping_methods()["items"] == []


def test_lists_come_in_pages(orders, zone, method):
    """By name and by code; of one zone if it is named."""
    ids = [zone(name, {"country": name}) for name in ("NL", "BE", "LU")]
    for one in ids:
        for code in ("standard", "express"):
            method(one, code)

    def pages(read, **request):
        cursor, seen = None, []
        while True:
            page = read(limit=2, cursor=cursor, **request)
            assert len(page["items"]) <= 2
            seen += page["items"]
            cursor = page["next"]
            if cursor is None:
                return seen

    assert [one["name"] for one in pages(orders.list_shipping_zones)] == ["BE", "LU", "NL"]
    codes = [one["code"] for one in pages(orders.list_shipping_methods)]
    assert codes == ["express"] * 3 + ["standard"] * 3
    of_one = pages(orders.list_shipping_methods, zone_id=ids[0])
    assert {one["zone_id"] for one in of_one} == {ids[0]}
    assert len(of_one) == 2


def test_only_admins_keep_them(orders, zone, method):
    """Staff do not even see them; nothing is done."""
    one = zone()
    made = method(one)
    whole = {"zone_id": one, "code": "x", "name": "X", "price": "1.00"}
    for refused in (
        lambda: orders.create_shipping_zone(name="X", members=[{"country": "LU"}], actor=STAFF),
        lambda: orders.update_shipping_zone(zone_id=one, name="X", actor=STAFF),
        lambda: orders.delete_shipping_zone(zone_id=one, actor=STAFF),
        lambda: orders.get_shipping_zone(zone_id=one, actor=STAFF),
        lambda: orders.list_shipping_zones(actor=STAFF),
        lambda: orders.create_shipping_method(**whole, actor=STAFF),
        lambda: orders.update_shipping_method(method_id=made["id"], price="0", actor=STAFF),
        lambda: orders.get_shipping_method(method_id=made["id"], actor=STAFF),
        lambda: orders.list_shipping_methods(actor=STAFF),
    ):
        with pytest.raises(Forbidden):
            refused()
    assert len(orders.list_shipping_zones()["items"]) == 1
    assert orders.get_shipping_method(method_id=made["id"])["version"] == 1


def test_what_admins_do_is_told(orders, zone, method, sql):
    """For the audit trail: what, to which, and the price; no names."""
    one = zone(actor=ADMIN)
    made = method(one, actor=ADMIN)
    changed = {"price": "5.00", "active": False, "code": "standard"}
    orders.update_shipping_method(method_id=made["id"], **changed, actor=ADMIN)
    orders.update_shipping_zone(zone_id=one, members=[NL], actor=ADMIN)
    orders.delete_shipping_zone(zone_id=one, actor=ADMIN)
    rows = sql("orders", "SELECT payload FROM outbox WHERE type = 'staff_acted' ORDER BY id")
    told = [
        (row["payload"]["action"], row["payload"]["target_id"], row["payload"]["detail"])
        for row in rows
    ]
    assert told == [
        ("shipping_zone_created", one, {}),
        ("shipping_method_created", made["id"], {"price": "4.95", "currency": "EUR"}),
        (
            "shipping_method_changed",
            made["id"],
            {"fields": ["active", "price"], "old_price": "4.95", "price": "5.00"},
        ),
        ("shipping_zone_changed", one, {"fields": ["members"]}),
        ("shipping_zone_deleted", one, {}),
    ]
