"""Python's garbage collector, in a service that has started."""

import gc

from chassis.container import keep_what_has_started
from tests.integration.chassis.world import Speaker


def test_what_has_started_is_looked_through_no_more(start):
    """Its hundred thousand objects stay to the end; only what comes later may be garbage."""
    keep_what_has_started.cache_clear()
    before = gc.get_freeze_count()
    (container,) = start(Speaker)
    assert gc.get_freeze_count() > before
    assert not any(each is container for each in gc.get_objects())
