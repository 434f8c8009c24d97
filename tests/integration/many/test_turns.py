"""Two instances of payments: what one does for both is done once, and the other one takes over."""

import datetime

import eventlet
import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.errors import Unavailable
from payments.models import Lease
from payments.reconciliation import commands as reconciliation
from payments.service import PaymentsService
from tests.support import run_timer


@pytest.fixture
def instances(start, clock):
    """Two of them, on one clock."""
    return start(PaymentsService, PaymentsService)


@pytest.fixture
def compared(monkeypatch):
    """The moments of all comparisons; a test sets what happens in one."""
    moments = []

    def compare(context, count):
        moments.append(context.clock())
        compare.during()

    compare.during = lambda: eventlet.sleep(0.05)
    monkeypatch.setattr(reconciliation, "compare_last_day", compare)
    return moments, compare


def tick(instances):
    """The timers of all of them at the same instant; what was raised."""

    def run(instance):
        try:
            run_timer(instance, "compare_books")
        except Unavailable as error:
            return error

    ticks = [eventlet.spawn(run, instance) for instance in instances]
    return [each.wait() for each in ticks]


@pytest.fixture
def set_aside(config, clock):
    """`set_aside()`: whether an instance is at it; a timer of its own may be, beside ours."""
    engine = sa.create_engine(configuration.database_url(config, "payments"))
    soon = reconciliation.EVERY - datetime.timedelta(minutes=5)

    def is_so():
        with engine.connect() as connection:
            return connection.scalar(sa.select(Lease.due_at)) < clock() + soon

    yield is_so
    engine.dispose()


def test_the_books_are_compared_once_an_hour(compared, instances, clock, set_aside, eventually):
    """By whoever comes first; a restart is no reason to look again."""
    moments, _ = compared
    for _ in range(5):
        tick(instances)
    assert len(moments) == 1
    eventually(lambda: not set_aside())
    clock.advance(minutes=59)
    tick(instances)
    assert len(moments) == 1
    clock.advance(minutes=1)
    for _ in range(3):
        tick(instances)
    assert len(moments) == 2


def test_a_comparison_that_ended_midway_is_begun_again(
    compared, instances, clock, set_aside, eventually
):
    """By the other, when the time that was set aside is over; what comes late changes nothing."""
    moments, compare = compared
    tick(instances)
    eventually(lambda: not set_aside())
    clock.advance(hours=1)

    def die():
        raise Unavailable

    compare.during = die
    before = len(moments)
    assert sum(error is not None for error in tick(instances)) == 1
    compare.during = lambda: None
    clock.advance(minutes=9)
    tick(instances)
    assert len(moments) == before + 1
    clock.advance(minutes=1)
    tick(instances)
    assert len(moments) == before + 2
    clock.advance(minutes=59)
    tick(instances)
    assert len(moments) == before + 2
