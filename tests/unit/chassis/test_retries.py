"""How patiently what has failed is tried again."""

import datetime

from chassis.retries import pause

LONGEST = datetime.timedelta(minutes=5)


def test_pauses_grow_and_stay_bounded():
    """Soon at first, then seldom, never never again."""
    pauses = [pause(tries, LONGEST) for tries in range(1, 100)]
    assert pauses[0] == datetime.timedelta(seconds=2)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST
