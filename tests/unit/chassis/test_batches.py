"""What gathers for a batch: in order, bounded, one in work at once."""

import eventlet
import pytest

from chassis.events.batches import PACE, Batches


@pytest.fixture
def begun():
    """The batches that were begun, each as what was taken."""
    return []


def test_the_first_message_begins_a_batch_and_those_after_it_gather():
    """An idle handler waits for nothing; a busy one takes what has come, so many at most."""
    batches = Batches(2)
    assert batches.add(1)
    assert batches.take() == [1]
    assert [batches.add(number) for number in (2, 3, 4)] == [False, False, False]
    assert batches.go_on()
    assert batches.take() == [2, 3]
    assert batches.go_on()
    assert batches.take() == [4]
    assert not batches.go_on()
    assert batches.add(5)


def test_of_a_batch_that_has_failed_each_is_tried_alone():
    """Before what has gathered meanwhile, and in their order."""
    batches = Batches(3)
    batches.add(1)
    batches.add(2)
    batches.split(batches.take())
    batches.add(3)
    assert batches.go_on()
    assert [batches.take() for _ in range(3)] == [[1], [2], [3]]


def test_an_idle_handler_begins_at_once_and_then_waits_for_more(begun):
    """The first waits for nothing; what comes soon after it goes together."""
    batches = Batches(3)
    batches.add(1)
    batches.begin(lambda: begun.append(batches.take()))
    assert begun == [[1]]
    assert not batches.go_on()
    batches.add(2)
    batches.begin(lambda: begun.append(batches.take()))
    batches.add(3)
    assert begun == [[1]]
    eventlet.sleep(2 * PACE)
    assert begun == [[1], [2, 3]]


def test_a_full_batch_waits_for_nothing(begun):
    """Nor do those that are tried alone."""
    batches = Batches(2)
    for number in (1, 2, 3, 4):
        batches.add(number)
    for _ in range(2):
        batches.begin(lambda: begun.append(batches.take()))
    batches.split([5])
    batches.begin(lambda: begun.append(batches.take()))
    assert begun == [[1, 2], [3, 4], [5]]


def test_a_batch_that_waits_begins_when_it_is_full(begun):
    """At once, and only then: not again when its time comes."""
    batches = Batches(2)
    for number in (1, 2):
        batches.add(number)
        batches.begin(lambda: begun.append(batches.take()))
    assert begun == [[1]]
    batches.add(3)
    assert begun == [[1], [2, 3]]
    batches.add(4)
    eventlet.sleep(2 * PACE)
    assert begun == [[1], [2, 3]]


def test_who_stops_begins_with_what_has_gathered(begun):
    """And with whatever comes later, at once."""
    batches = Batches(3)
    for number in (1, 2):
        batches.add(number)
        batches.begin(lambda: begun.append(batches.take()))
        batches.go_on()
    batches.hurry()
    assert begun == [[1], [2]]
    batches.add(3)
    batches.begin(lambda: begun.append(batches.take()))
    assert begun == [[1], [2], [3]]
