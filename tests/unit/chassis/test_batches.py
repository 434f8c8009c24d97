"""What gathers for a batch: in order, bounded, one in work at once."""

from chassis.events.batches import Batches


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
