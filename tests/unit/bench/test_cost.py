"""What an order costs, of figures that were made up."""

from collections import Counter

import pytest

from bench.works.cost import beyond_rest


def test_what_the_shop_takes_at_rest_is_no_orders():
    """Ten orders took twice as long as the rest after them; what has just begun counts whole, and
    nothing costs less than nothing."""
    before = {"commits": Counter(orders=100, users=5)}
    after = {"commits": Counter(orders=324, users=5, payments=40)}
    rested = {"commits": Counter(orders=336, users=7, payments=40)}
    found = beyond_rest(before, after, rested, share=2.0, count=10)
    assert found == {"commits": Counter(orders=pytest.approx(20), users=0, payments=4)}
