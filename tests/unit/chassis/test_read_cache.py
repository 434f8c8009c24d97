"""The read cache: what it keeps, for how long, and what it never gives."""

import tracemalloc

import eventlet
import pytest
from eventlet.event import Event

from chassis.errors import DeadlineExceeded, NotFound, Unavailable
from chassis.web.read_cache import ReadCache


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Source:
    """What is read: `source(key)` is a `make` for the cache, `source.asked` who asked."""

    def __init__(self):
        self.asked = []
        self.state = {}

    def __call__(self, key, *tags, size=10):
        def make():
            self.asked.append(key)
            return self.state.get(key, 0), frozenset(tags or (key,)), size

        return make


class Gate:
    """A read that takes until it is opened; it has seen the state of when it began."""

    def __init__(self, cache, key, value, tags=frozenset(), afresh=False):
        self._event, self._made = Event(), (value, tags, 1)
        self.reader = eventlet.spawn(cache.read, key, self._make, 5, afresh)
        eventlet.sleep(0)

    def _make(self):
        self._event.wait()
        return self._made

    def open(self):
        self._event.send()
        return self.reader.wait()

    def fail(self, error):
        self._event.send_exception(error)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def cache(clock):
    return ReadCache(max_entries=100, max_bytes=100_000, max_age=5, clock=clock)


def refuse():
    raise AssertionError("should have been there")


def joiners(cache, key, count=3, timeout=5):
    found = [eventlet.spawn(cache.read, key, refuse, timeout) for _ in range(count)]
    eventlet.sleep(0)
    return found


def test_a_value_is_made_once(cache, source):
    """Each key has its own."""
    for _ in range(3):
        assert cache.read("a", source("a"), 1) == 0
    cache.read("b", source("b"), 1)
    assert source.asked == ["a", "b"]


def test_a_value_is_as_old_as_its_read(cache, clock):
    """Its age counts from when the read began, not from when it came to its end."""
    gate = Gate(cache, "a", 1)
    clock.now += 3
    gate.open()
    clock.now += 1.9
    assert cache.read("a", refuse, 1) == 1
    clock.now += 0.1
    assert cache.read("a", lambda: (2, frozenset(), 1), 1) == 2


def test_a_hit_makes_nothing_younger(cache, source, clock):
    """However often it is asked for."""
    for _ in range(10):
        cache.read("a", source("a"), 1)
        clock.now += 1
    assert source.asked == ["a", "a"]


def test_entries_are_bounded(clock, source):
    """The one that nobody has asked for the longest makes room."""
    cache = ReadCache(3, 100_000, 5, clock)
    for key in "abcad":
        cache.read(key, source(key), 1)
    assert len(cache) == 3
    for key in "acd":
        cache.read(key, refuse, 1)
    cache.read("b", source("b"), 1)
    assert source.asked == [*"abcdb"]


def test_bytes_are_bounded(clock, source):
    """One that alone is too much is never kept."""
    cache = ReadCache(100, 100_000, 5, clock)
    for number in range(20):
        cache.read(str(number), source(number, size=20_000), 1)
        assert cache.size <= 100_000
    assert len(cache) == 4
    cache.read("huge", source("huge", size=100_000), 1)
    assert len(cache) == 4
    cache.read("19", refuse, 1)
    cache.clear()
    assert (cache.size, len(cache)) == (0, 0)


def test_bytes_are_counted_as_they_are(clock):
    """What is counted, with tags and keys, is no less than what Python takes, and not much more."""
    cache = ReadCache(100_000, 2**30, 5, clock)

    def make(number):
        tags = frozenset(range(10**6 + number * 20, 10**6 + number * 20 + 21))
        return b"x" * 1000 + str(number).encode(), tags, 1033

    tracemalloc.start()
    for number in range(2000):
        cache.read(f"key of {number}", lambda number=number: make(number), 1)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(cache) == 2000
    assert 0.7 * cache.size < taken < cache.size


def test_what_was_forgotten_is_made_anew(cache, source):
    """By any of its tags; others stay, and nothing is left behind of what is gone."""
    cache.read("7", source("7", 7), 1)
    cache.read("8", source("8", 8), 1)
    cache.read("list", source("list", "lists", 7, 9), 1)
    cache.forget([7, 99])
    assert len(cache) == 1
    cache.read("8", refuse, 1)
    cache.read("7", source("7", 7), 1)
    cache.forget(["lists"])
    cache.read("7", refuse, 1)
    cache.forget([7, 8])
    assert (len(cache), cache.size, cache._keys) == (0, 0, {})


def test_equal_reads_are_one(cache):
    """While it is under way, others wait for it; another key does not."""
    gate = Gate(cache, "a", 1)
    waiting = joiners(cache, "a")
    assert cache.read("b", lambda: (2, frozenset(), 1), 1) == 2
    assert gate.open() == 1
    assert [one.wait() for one in waiting] == [1, 1, 1]


def test_a_read_that_was_overtaken_is_not_kept(cache):
    """Those who waited for it asked before the change and may have the old value; nobody who comes
    later gets it."""
    gate = Gate(cache, "a", "old", frozenset([7]))
    waiting = joiners(cache, "a")
    cache.forget([7])
    newer = Gate(cache, "a", "new", frozenset([7]))
    assert gate.open() == "old"
    assert [one.wait() for one in waiting] == ["old"] * 3
    later = joiners(cache, "a")
    assert newer.open() == "new"
    assert [one.wait() for one in later] == ["new"] * 3
    assert cache.read("a", refuse, 1) == "new"


def test_a_read_that_was_overtaken_alone_is_not_kept(cache):
    """Also when nobody has asked in between."""
    gate = Gate(cache, "a", "old", frozenset([7]))
    cache.forget([7])
    gate.open()
    assert cache.read("a", lambda: ("new", frozenset(), 1), 1) == "new"


def test_the_older_of_two_reads_is_not_kept(cache):
    """In whatever order they end."""
    gate = Gate(cache, "a", "old", frozenset([7]))
    cache.forget([7])
    assert Gate(cache, "a", "new", frozenset([7])).open() == "new"
    assert gate.open() == "old"
    assert cache.read("a", refuse, 1) == "new"


def test_what_others_forget_leaves_a_read_alone(cache):
    """Which tags it will bear is not known before it ends: it is kept, but not given to those who
    come meanwhile."""
    gate = Gate(cache, "a", 1, frozenset([7]))
    cache.forget([8])
    assert cache.read("a", lambda: (2, None, 0), 1) == 2
    gate.open()
    gate = Gate(cache, "a", 3, frozenset([7]))
    cache.forget([8])
    gate.open()
    assert cache.read("a", refuse, 1) == 3


def test_clear_overtakes_everything(cache):
    """Reads under way, too."""
    gate = Gate(cache, "a", "old", frozenset([7]))
    cache.clear()
    assert Gate(cache, "a", "new").open() == "new"
    gate.open()
    assert cache.read("a", refuse, 1) == "new"


def test_afresh_waits_for_nobody_and_is_kept(cache, source):
    """Neither what is kept nor an older read is good enough; later readers share the new value."""
    cache.read("a", source("a"), 1)
    older = Gate(cache, "a", "old", afresh=True)
    newer = Gate(cache, "a", "new", afresh=True)
    assert older.open() == "old"
    assert cache.read("a", refuse, 1) == 0
    newer.open()
    assert cache.read("a", refuse, 1) == "new"


def test_what_is_not_to_be_kept_replaces_what_was(cache, source):
    """A read that finds nothing any more ends what others would still be shown."""
    cache.read("a", source("a"), 1)
    assert cache.read("a", lambda: ("gone", None, 0), 1, afresh=True) == "gone"
    assert len(cache) == 0


def test_an_error_goes_to_all_who_waited(cache, source):
    """And is not kept."""
    gate = Gate(cache, "a", 1)
    waiting = joiners(cache, "a")
    gate.fail(NotFound())
    for one in (gate.reader, *waiting):
        with pytest.raises(NotFound):
            one.wait()
    assert cache.read("a", source("a"), 1) == 0


def test_a_reader_that_is_killed_lets_nobody_wait(cache):
    """Others are told to try again."""
    gate = Gate(cache, "a", 1)
    (waiting,) = joiners(cache, "a", 1)
    gate.reader.kill()
    with pytest.raises(Unavailable):
        waiting.wait()


def test_who_waits_has_a_deadline_of_their_own(cache):
    """The read goes on for the others."""
    gate = Gate(cache, "a", 1)
    (hasty,) = joiners(cache, "a", 1, timeout=0.01)
    (patient,) = joiners(cache, "a", 1)
    with pytest.raises(DeadlineExceeded):
        hasty.wait()
    gate.open()
    assert patient.wait() == 1


def test_nobody_joins_a_read_that_is_too_old(cache, clock):
    """What it has seen may be older than anything that is shown."""
    gate = Gate(cache, "a", "old")
    clock.now += 5
    assert cache.read("a", lambda: ("new", frozenset(), 1), 1) == "new"
    gate.open()
    assert cache.read("a", refuse, 1) == "new"
