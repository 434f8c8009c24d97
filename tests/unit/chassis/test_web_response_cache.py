"""Routes that remember their answers, over HTTP."""

import time

import eventlet
import pytest
import requests
from eventlet.event import Event
from marshmallow import fields as plain
from nameko.containers import ServiceContainer
from nameko.exceptions import ConfigurationError

from chassis import errors, fields
from chassis.web import Response, Route, route
from chassis.web.response_cache import ResponseCache
from tests.unit.chassis.web_toy import Nobody, running


class Everybody:
    """An audience that lets all in, which is all that it asks of them."""

    refusals = ()

    def admit(self, service, request):
        pass


class Stranger(Nobody):
    refusals = (401,)


ANYONE = Everybody()


class BookPath(fields.Request):
    book_id = plain.Integer(required=True)


class BookQuery(fields.Page):
    title = fields.Text(max=20)


class Library:
    """What it has run is in `served`; `gate` keeps readers waiting."""

    name = "library"
    served = []
    books = {}
    gate = None

    @route("GET", "/books/{book_id}", who=ANYONE, path=BookPath, etag=True,
           cache_tags=lambda book, book_id: (book_id,))  # fmt: skip
    def get_book(self, request, book_id):
        """A book."""
        self.served.append(book_id)
        found = self.books.get(book_id)
        if self.gate:
            self.gate.wait()
        if found is None:
            raise errors.NotFound()
        return dict(found)

    @route("GET", "/books", who=ANYONE, query=BookQuery,
           cache_tags=lambda page, query: ("all", *page["items"]))  # fmt: skip
    def list_books(self, request, query):
        """All books."""
        self.served.append(query)
        return {"items": list(self.books), "next": "cursor"}

    @route("GET", "/odd", who=ANYONE, cache_tags=lambda body: ())
    def odd(self, request):
        """Another status."""
        self.served.append("odd")
        return Response({}, 202)


@pytest.fixture
def library():
    Library.served.clear()
    Library.books.clear()
    Library.books.update({1: {"title": "Momo", "version": 1}})
    Library.gate = None
    with running(Library) as library:
        yield library


@pytest.fixture
def response_cache(library):
    return next(e for e in library.container.extensions if isinstance(e, ResponseCache))


def get(library, path, expect=200, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = requests.request(method, library.url + path, headers=headers, timeout=5)
    assert answer.status_code == expect
    return answer


def without_id(answer):
    return {k: v for k, v in answer.headers.items() if k.lower() not in ("x-request-id", "date")}


def test_an_answer_is_remembered_as_it_was(library):
    """RequestBody, tag and all headers; but each request has its own id."""
    first, second = get(library, "/books/1"), get(library, "/books/1")
    assert Library.served == [1]
    assert first.content == second.content == b'{"title":"Momo","version":1}'
    assert without_id(first) == without_id(second)
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert get(library, "/books/1", X_Request_ID="0123456789").headers["X-Request-ID"] == (
        "0123456789"
    )
    assert get(library, "/books/1", method="HEAD").content == b""
    assert Library.served == [1]


def test_tags_are_compared_for_each_reader(library):
    """Whoever came first, with or without a tag, others get what they need."""
    tag = get(library, "/books/1").headers["ETag"]
    again = get(library, "/books/1", 304, If_None_Match=tag)
    assert (again.headers["ETag"], again.content) == (tag, b"")
    assert get(library, "/books/1", If_None_Match='"x"').json() == Library.books[1]
    Library.served.clear()
    assert get(library, "/books/1", 304, If_None_Match=tag, Cache_Control="no-cache")
    assert get(library, "/books/1").json() == Library.books[1]
    assert Library.served == [1]


@pytest.mark.parametrize(
    "path",
    ["/books", "/books?limit=20", "/books/?limit=%32%30", "/books?", "/books?title="],
)
def test_the_same_question_is_the_same_however_it_is_written(library, path):
    """In its order, its escapes and its defaults."""
    get(library, "/books")
    get(library, path)
    assert len(Library.served) == 1


def test_the_order_of_a_query_does_not_matter(library):
    """Nor do blanks around a text."""
    get(library, "/books?limit=5&title=Momo")
    get(library, "/books?title=%20Momo&limit=5")
    assert len(Library.served) == 1


def test_other_questions_are_others(library):
    """Each field counts."""
    for path in ("/books", "/books?limit=5", "/books?title=a", "/books?cursor=a", "/books?title=b"):
        get(library, path)
    assert len(Library.served) == 5


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "unknown=1", "limit=5&limit=5", "title=%00"]
)
def test_what_is_wrong_is_refused_as_ever(library, query):
    """Before anything is looked up, the second time as well."""
    get(library, "/books")
    for _ in range(2):
        assert get(library, f"/books?{query}", 422).json()["errors"]
    get(library, "/books/x", 422)
    assert len(Library.served) == 1


def test_a_long_question_is_remembered_too(library):
    """Though not how it was written."""
    for _ in range(2):
        get(library, f"/books?cursor={'a' * 1000}")
    assert len(Library.served) == 1


def test_what_is_forgotten_is_asked_again(library, response_cache):
    """One book, and the lists that show it."""
    for path in ("/books/1", "/books"):
        get(library, path)
    Library.books[1] = {"title": "Jim Knopf", "version": 2}
    response_cache.forget([1])
    assert get(library, "/books/1").json()["title"] == "Jim Knopf"
    get(library, "/books")
    assert len(Library.served) == 4
    response_cache.clear()
    get(library, "/books/1")
    assert len(Library.served) == 5


@pytest.mark.parametrize("sent", ["no-cache", "max-age=5, No-Cache"])
def test_no_cache_goes_past_it_and_refreshes_it(library, sent):
    """So who doubts what they see helps the others as well."""
    get(library, "/books/1")
    Library.books[1] = {"title": "Jim Knopf", "version": 2}
    assert get(library, "/books/1", Cache_Control="max-age=0").json()["title"] == "Momo"
    assert get(library, "/books/1", Cache_Control=sent).json()["title"] == "Jim Knopf"
    assert get(library, "/books/1").json()["title"] == "Jim Knopf"
    assert len(Library.served) == 2


def test_only_what_is_there_is_remembered(library):
    """No problem is, and no other status."""
    for _ in range(2):
        get(library, "/books/2", 404)
        get(library, "/odd", 202)
    assert Library.served == [2, "odd", 2, "odd"]
    Library.books[2] = {"title": "Krabat"}
    get(library, "/books/2")


def test_equal_requests_are_one(library, eventually):
    """Ten at once; conditional ones get their 304 all the same."""
    tag = get(library, "/books/1", Cache_Control="no-cache").headers["ETag"]
    Library.served.clear()
    Library.gate = Event()
    first = eventlet.spawn(get, library, "/books/1", Cache_Control="no-cache")
    eventually(lambda: Library.served)
    response_cache = next(e for e in library.container.extensions if isinstance(e, ResponseCache))
    response_cache._cache._entries.clear()
    readers = [eventlet.spawn(get, library, "/books/1") for _ in range(9)]
    readers.append(eventlet.spawn(get, library, "/books/1", 304, If_None_Match=tag))
    eventually(lambda: library.server.request_places.requests.total == 11)
    Library.gate.send()
    assert {one.wait().content for one in (first, *readers[:9])} == {first.wait().content}
    readers[9].wait()
    assert Library.served == [1]


def test_who_waited_for_a_problem_gets_their_own(library, eventually):
    """With their own request id, trace and address."""
    Library.gate = Event()
    ids = [f"request-{number}" for number in range(4)]
    paths = ["/books/2", "/books/2/", "/books/02", "/books/2"]
    traces = [f"{number:032x}" for number in range(1, 5)]
    readers = [
        eventlet.spawn(
            get, library, path, 404, X_Request_ID=one, traceparent=f"00-{trace}-{1:016x}-00"
        )
        for path, one, trace in zip(paths, ids, traces, strict=True)
    ]
    eventually(lambda: library.server.request_places.requests.total == 4)
    Library.gate.send()
    problems = [one.wait().json() for one in readers]
    assert [one["request_id"] for one in problems] == ids
    assert [one["trace_id"] for one in problems] == traces
    assert [one["instance"] for one in problems] == paths
    assert Library.served == [2]


def test_who_waits_does_so_no_longer_than_for_an_own_read(eventually):
    """504 in time, though somebody else's read hangs."""
    Library.served.clear()
    Library.gate = Event()
    with running(Library, request_seconds=0.05) as library:
        began = time.monotonic()
        readers = [eventlet.spawn(get, library, "/books/1", 504) for _ in range(2)]
        for one in readers:
            assert one.wait().json()["code"] == "deadline_exceeded"
        assert time.monotonic() - began < 3
        Library.gate.send()


def test_it_can_be_switched_off():
    """By an age of 0."""
    Library.served.clear()
    Library.gate = None
    Library.books[1] = {"title": "Momo", "version": 1}
    with running(Library, read_cache={"max_age_seconds": 0}) as library:
        tag = get(library, "/books/1").headers["ETag"]
        get(library, "/books/1", 304, If_None_Match=tag)
        assert Library.served == [1, 1]
        response_cache = next(
            e for e in library.container.extensions if isinstance(e, ResponseCache)
        )
        response_cache.forget([1])
        response_cache.clear()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_age_seconds": 5.1},
        {"max_age_seconds": -1},
        {"max_entries": 0},
        {"max_megabytes": 0},
        {"max_age": 1},
    ],
)
def test_its_bounds_are_bounded(wrong):
    """Nobody can set it to show what is older than five seconds."""
    config = {"WEB_SERVER_ADDRESS": "127.0.0.1:0", "read_cache": wrong}
    container = ServiceContainer(Library, config)
    with pytest.raises(ConfigurationError, match=f"read_cache.{next(iter(wrong))}"):
        next(e for e in container.extensions if isinstance(e, ResponseCache)).check()


@pytest.mark.parametrize(
    "declaration",
    [
        {"who": Stranger()},
        {"method": "POST"},
        {"headers": BookQuery},
        {"body": BookQuery},
    ],
)
def test_only_what_is_the_same_for_all_is_remembered(declaration):
    """What depends on who asks, or on more than path and query, is a mistake in the program."""
    given = {"method": "GET", "who": ANYONE, "cache_tags": lambda body: ()} | declaration
    with pytest.raises(ConfigurationError, match="cached"):
        Route(given.pop("method"), "/books", doc="Books.", **given)


@pytest.mark.parametrize(
    "path",
    ["//books?limit=6", "/%62ooks?limit=6", "/books?limit=06", "/books/?title=&limit=6"],
)
def test_one_reader_writes_nothing_into_the_answers_of_others(library, path):
    """Neither a host nor another spelling: what is kept is what all who mean the same may get."""
    requests.get(library.url + path, timeout=5)
    link = get(library, "/books?limit=6").headers["Link"]
    assert link == '</books?limit=6&cursor=cursor>; rel="next"'
