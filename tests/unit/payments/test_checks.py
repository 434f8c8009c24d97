"""How patiently the sweep asks."""

import datetime

from payments.checks import MAX_PAUSE, pause


def test_pauses_grow_and_stay_bounded():
    """Soon at first, then seldom, never never again."""
    pauses = [pause(checks) for checks in range(1, 100)]
    assert pauses[0] == datetime.timedelta(seconds=2)
    assert pauses == sorted(pauses)
    assert pauses[-1] == MAX_PAUSE
