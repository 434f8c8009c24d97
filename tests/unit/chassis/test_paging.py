"""Cursors: what goes in comes out, and nothing else gets in."""

import datetime
import decimal
import uuid

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from chassis import paging
from chassis.errors import Invalid

MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)


def test_round_trip():
    """Each kind of sort key survives exactly."""
    values = ["name\u00e4", 5, 0.25, decimal.Decimal("9.99"), uuid.UUID(int=7), MOMENT]
    types = [str, int, float, decimal.Decimal, uuid.UUID, datetime.datetime]
    assert paging.decode("things", paging.encode("things", values), types) == tuple(values)


@pytest.mark.parametrize("other", ["others", "zebras"])
def test_a_cursor_is_of_one_list(other):
    """Although another may be sorted by the same kinds of key."""
    with pytest.raises(Invalid):
        paging.decode("things", paging.encode(other, [5]), [int])


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_integers_go_as_far_as_the_database(number):
    """A bigint has 64 bits."""
    assert paging.decode("things", paging.encode("things", [number]), [int]) == (number,)


def test_the_longest_cursor():
    """One more is refused before it is read; what stands between its letters, too."""
    text = "x" * 760
    longest, longer = (paging.encode("l", [word]) for word in (text, text + "x"))
    assert (len(longest), len(longer)) == (1024, 1026)
    assert paging.decode("l", longest, [str]) == (text,)
    for cursor in (longer, paging.encode("l", ["a"]) + " "):
        with pytest.raises(Invalid):
            paging.decode("l", cursor, [str])


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin1")))
def test_garbage_is_a_field_error(cursor):
    """Whatever a client sends as cursor, the answer is `Invalid`, never another exception."""
    for types in ([int], [str, int], [decimal.Decimal, int], [datetime.datetime, uuid.UUID]):
        with pytest.raises(Invalid) as refused:
            paging.decode("things", cursor, types)
        assert list(refused.value.errors) == ["cursor"]


@pytest.mark.parametrize(
    ("values", "types"),
    [
        ([2**63], [int]),
        ([True], [int]),
        (["a\0"], [str]),
        (["NaN"], [decimal.Decimal]),
        (["2026-01-01T00:00:00"], [datetime.datetime]),
        ([1, 2], [int]),
        ([None], [str]),
    ],
)
def test_forged_values_are_refused(values, types):
    """A cursor made by hand can't carry what the database would choke on."""
    with pytest.raises(Invalid):
        paging.decode("things", paging.encode("things", values), types)


def test_a_list_is_cut_into_pages():
    """One row more than a page has says that there is another, which begins after the last one."""
    table = sa.table("things", sa.column("at", sa.DateTime), sa.column("id", sa.BigInteger))
    newest = paging.Keyset("things", table.c.at, table.c.id)
    rows = [{"at": MOMENT, "id": number} for number in (3, 2, 1)]
    page, following = newest.cut(rows, 2)
    assert page == rows[:2]
    (after,) = newest.after(following)
    assert str(after) == "(things.at, things.id) < (:param_1, :param_2)"
    assert list(after.compile().params.values()) == [MOMENT, 2]
    assert newest.cut(rows, 3) == (rows, None)
