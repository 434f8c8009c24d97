"""The web layer's answers to single requests, good and bad."""

import re
import uuid

import pytest
import requests

from tests.unit.chassis.web_toy import Raw, running

JSON = {"Content-Type": "application/json"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def toy():
    with running(body_limit=2000) as service:
        yield service


def post(toy, body, path="/things", **headers):
    return requests.post(toy.url + path, data=body, headers=JSON | headers, timeout=5)


def problem(answer, status, code):
    """The answer as a problem document, checked for its form."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"] == f"urn:problem-type:{code}"
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert {"title", "detail", "instance"} < set(document)
    assert re.fullmatch("(?!0{32})[0-9a-f]{32}", document["trace_id"])
    return document


def test_a_valid_body_arrives_loaded_and_leaves_as_json(toy):
    """Money and text go through their fields; status and headers are the route's."""
    answer = post(toy, '{"name": "  Chair ", "price": "9.5", "tags": ["a"]}')
    assert (answer.status_code, answer.json()) == (
        201,
        {"name": "Chair", "price": "9.5", "tags": ["a"]},
    )
    assert answer.headers["Location"] == "/things/1"


@pytest.mark.parametrize(
    "body",
    [
        '{"name": ',
        '{"name": "a", "name": "b"}',
        '{"name": "a", "tags": [{"x": 1, "x": 2}]}',
        '{"name": NaN}',
        '{"name": -Infinity}',
        '{"name": 1e999}',
        '{"name": "\\ud800"}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "a"}',
        '["name"]',
        '"name"',
        "null",
        "12",
        "[" * 1500,
        '{"name":' + "[" * 30 + "]" * 30 + "}",
        '{"name": ' + "1" * 1900,
        '{"name": "a"} {"name": "b"}',
        " ",
    ],
)
def test_what_is_no_json_object_is_a_400(toy, body):
    """Malformed, ambiguous or too deep JSON, and JSON that is no object, is refused as such."""
    problem(post(toy, body), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"name": "a", "role": "admin"}', "role"),
        ('{"name": 5}', "name"),
        ('{"name": "a\\u0000b"}', "name"),
        ('{"name": "' + "a" * 21 + '"}', "name"),
        ('{"name": null}', "name"),
        ('{"name": "a", "price": 1e308}', "price"),
        ('{"name": "a", "price": "' + "9" * 1000 + '"}', "price"),
        ('{"name": "a", "price": ' + "9" * 300 + "}", "price"),
        ('{"name": "a", "tags": ["ok", {"__type__": "x"}]}', "tags.1"),
        ('{"__type__": "decimal", "__value__": 1}', "__type__"),
    ],
)
def test_fields_that_do_not_fit_are_named(toy, body, field):
    """Wrong types, unknown fields, NUL and huge values are 422 with the field's name."""
    document = problem(post(toy, body), 422, "invalid")
    assert all(isinstance(message, str) for message in document["errors"][field])


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/json; charset=latin-1", "", "json"],
)
def test_only_json_is_read(toy, content_type):
    """Another content type, or none, is 415."""
    answer = post(toy, '{"name": "a"}', **{"Content-Type": content_type})
    problem(answer, 415, "unsupported_media_type")


def test_a_charset_of_utf8_is_fine(toy):
    """The one charset that JSON has may be named."""
    answer = post(
        toy, '{"name": "é"}'.encode(), **{"Content-Type": "application/json;charset=UTF-8"}
    )
    assert answer.json() == {"name": "é"}


def test_a_body_over_the_limit_is_a_413(toy):
    """Announced or chunked, and the client gets the answer rather than a reset connection."""
    problem(post(toy, '{"name": "' + "a" * 3_000_000 + '"}'), 413, "content_too_large")
    problem(post(toy, iter([b" " * 1000] * 500)), 413, "content_too_large")


def test_a_chunked_body_is_read(toy):
    """Nameko's own layer reads it as empty."""
    answer = post(toy, iter([b'{"na', b'me": ', b'"a"}']))
    assert (answer.status_code, answer.json()) == (201, {"name": "a"})


def test_a_body_may_be_left_out_where_nothing_in_it_is_needed(toy):
    """No body is an empty object, unless something is required: then its length is."""
    assert requests.post(toy.url + "/notes", timeout=5).json() == {}
    answer = requests.request("POST", toy.url + "/things", data=iter([]), timeout=5)
    problem(answer, 422, "invalid")


def test_a_body_where_none_is_taken_is_refused(toy):
    """A filter sent in the body of a GET is not silently ignored."""
    problem(
        requests.get(toy.url + "/things", json={"limit": 2}, timeout=5), 400, "body_not_expected"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=abc", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("color=red", "color"),
        ("cursor=" + "a" * 2000, "cursor"),
    ],
)
def test_a_query_is_validated(toy, query, field):
    """Unknown, repeated and wrong query fields are 422 by name."""
    document = problem(requests.get(f"{toy.url}/things?{query}", timeout=5), 422, "invalid")
    assert field in document["errors"]


@pytest.mark.parametrize("query", ["limit=%ff", "&".join(f"a{i}=1" for i in range(100))])
def test_a_query_that_cannot_be_read_is_a_400(toy, query):
    """Bytes that are no UTF-8, and more fields than anybody needs."""
    problem(requests.get(f"{toy.url}/things?{query}", timeout=5), 400, "bad_request")


def test_a_list_links_to_its_next_page(toy):
    """RFC 8288, relative, with the rest of the query; the last page has no link."""
    first = requests.get(toy.url + "/things?limit=3", timeout=5)
    assert first.json() == {"items": [3], "next": "next page="}
    assert first.headers["Link"] == '</things?limit=3&cursor=next+page%3D>; rel="next"'
    last = requests.get(toy.url + first.links["next"]["url"], timeout=5)
    assert last.json()["next"] is None
    assert "Link" not in last.headers


@pytest.mark.parametrize("path", ["/", "/nope", "/things/1/2", "/%ff", "/things//"])
def test_an_unknown_path_is_a_404(toy, path):
    """As a problem document like every other."""
    problem(requests.get(toy.url + path, timeout=5), 404, "not_found")


@pytest.mark.parametrize("thing_id", ["1", "x" * 3000, "%00", "..", "%0d%0aX-Evil:1", "é"])
def test_an_id_of_the_wrong_form_is_refused_before_it_is_used(toy, thing_id):
    """Its form is checked by the route's path schema, or there is no such path."""
    answer = requests.get(f"{toy.url}/things/{thing_id}", timeout=5)
    assert answer.status_code in (404, 422)
    assert "X-Evil" not in answer.headers


def test_a_trailing_slash_makes_no_difference(toy):
    """With and without it is the same route."""
    assert requests.get(toy.url + "/things/", timeout=5).status_code == 200
    assert requests.delete(f"{toy.url}/things/{uuid.uuid4()}/", timeout=5).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND"])
def test_another_method_is_a_405_that_names_the_right_ones(toy, method):
    """`Allow` has what the path does take."""
    answer = requests.request(method, toy.url + "/things", timeout=5)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_options_says_what_is_allowed(toy):
    """204 with `Allow`; 404 where nothing is."""
    answer = requests.options(f"{toy.url}/things/{uuid.uuid4()}", timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert requests.options(toy.url + "/nope", timeout=5).status_code == 404


def test_head_is_get_without_the_body(toy):
    """The same headers, and the connection stays usable."""
    with requests.Session() as session:
        head = session.head(toy.url + "/things?limit=3", timeout=5)
        get = session.get(toy.url + "/things?limit=3", timeout=5)
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))


def test_a_204_has_neither_body_nor_length(toy):
    """None from a route is no body."""
    answer = requests.delete(f"{toy.url}/things/{uuid.uuid4()}", timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers


def test_a_fault_becomes_its_status_and_its_data_are_shown(toy):
    """The code and the data of a conflict tell the client what to do."""
    answer = requests.get(f"{toy.url}/fault/{uuid.uuid4()}", timeout=5)
    document = problem(answer, 409, "out_of_stock")
    assert (document["detail"], document["lines"]) == ("Two are left.", [{"available": 2}])


def test_unavailable_says_when_to_come_back(toy):
    """503 has `Retry-After`."""
    answer = requests.get(toy.url + "/away", timeout=5)
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "7"


def test_an_audience_may_refuse(toy):
    """401 with `WWW-Authenticate`, before anything of the request is validated."""
    answer = requests.get(toy.url + "/closed?unknown=1", timeout=5)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/crash", "/unsendable"])
def test_an_exception_shows_nothing_of_itself(toy, path):
    """500 says no more than the request id; the service lives on."""
    answer = requests.get(toy.url + path, timeout=5)
    problem(answer, 500, "internal")
    told = answer.text + str(answer.headers)
    assert not re.search("hunter2|Error|Traceback|password|object|secret", told)
    assert requests.get(toy.url + "/alive", timeout=5).status_code == 200


def test_a_well_formed_request_id_is_kept(toy):
    """Sent back, and the service sees the same."""
    answer = requests.get(toy.url + "/alive", headers={"X-Request-ID": "abc-12345.6"}, timeout=5)
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "abc-12345.6"


@pytest.mark.parametrize("sent", ["short", "a" * 129, "with space1", "semi;colon1", "{}{}{}{}"])
def test_another_request_id_is_replaced(toy, sent):
    """What could break a log line is not taken over."""
    answer = requests.get(toy.url + "/alive", headers={"X-Request-ID": sent}, timeout=5)
    assert uuid.UUID(answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", True),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", False),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", False),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", False),
        ("garbage", False),
    ],
)
def test_a_traceparent_is_kept_when_it_is_one(toy, sent, kept):
    """By W3C Trace Context; else a new trace begins."""
    answer = requests.get(toy.url + "/alive", headers={"traceparent": sent}, timeout=5)
    traceparent = answer.json()["traceparent"]
    assert (traceparent == sent) is kept
    assert re.match(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", traceparent)


@pytest.mark.parametrize(
    "sent", [f"00-{TRACE}-b7ad6b7169203331-01", f"cc-{TRACE}-b7ad6b7169203331-01-more"]
)
@pytest.mark.parametrize("path", ["/closed", "/crash", "/nope", "/unsendable", "/things/1"])
def test_a_problem_names_the_trace_of_its_request(toy, path, sent):
    """The client's own, where it has sent one, and not that of another fault's data."""
    answer = requests.get(toy.url + path, headers={"traceparent": sent}, timeout=5)
    assert answer.json()["trace_id"] == TRACE


def test_every_answer_has_the_security_headers(toy):
    """Good ones and bad ones alike."""
    for path in ("/things", "/nope", "/crash"):
        headers = requests.get(toy.url + path, timeout=5).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "Server" not in headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Content-Length: 0\r\n", 422),
        ("Transfer-Encoding: chunked\r\n", 422),
        ("", 411),
        ("Content-Length: 0\r\nContent-Encoding: gzip\r\n", 415),
    ],
)
def test_an_empty_body_has_its_length(toy, headers, status):
    """The fields are missing then; only a body that nobody announced has no length."""
    raw = Raw(toy.port)
    raw.send(f"POST /things HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
    if "chunked" in headers:
        raw.send("0\r\n\r\n")
    assert raw.answer().status == status
    raw.close()


@pytest.mark.parametrize("path", ["/things", "/notes"])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "zstd", "gzip, identity", "x"])
def test_a_compressed_body_is_a_415(toy, path, coding):
    """By the head alone, and with what to send instead; the body may hold a gigabyte."""
    raw = Raw(toy.port).send(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Encoding: {coding}\r\nContent-Length: 1000\r\n\r\n"
    )
    answer = raw.answer()
    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "identity"
    raw.close()


def test_identity_is_no_compression(toy):
    """Whoever says that the body is as it is says nothing."""
    answer = requests.post(
        toy.url + "/notes", json={"note": "a"}, headers={"Content-Encoding": "identity"}, timeout=5
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "target",
    ["/things?limit=3", "/%74hings?limit=3", "/things/?limit=3", "/things?%6cimit=%33"],
)
def test_a_link_says_what_was_meant_not_how_it_was_written(toy, target):
    """Of the route and the values: a host in front or another spelling is not handed on."""
    answer = requests.get(toy.url + target, timeout=5)
    assert answer.headers["Link"] == '</things?limit=3&cursor=next+page%3D>; rel="next"'


@pytest.mark.parametrize("limit", ["", "?limit=20"])
def test_a_link_leaves_out_what_is_the_default(toy, limit):
    """Both mean the same."""
    answer = requests.get(f"{toy.url}/things{limit}", timeout=5)
    assert answer.headers["Link"] == '</things?cursor=next+page%3D>; rel="next"'


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/start", "/start/", "/start?x=y"])
def test_a_path_may_lead_elsewhere(method, path):
    """Where a browser begins."""
    with running(redirects={"/start": "/things"}) as toy:
        answer = requests.request(method, toy.url + path, timeout=5, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/things")
        assert requests.post(f"{toy.url}/start", timeout=5).status_code == 404


REDIRECTS = {"/start": "/manual", "/other": "/things", "/away": "https://shop.example/manual"}
CHAPTER = f"/manual/{uuid.uuid4()}"


@pytest.mark.parametrize("path", ["/manual", CHAPTER])
def test_the_description_is_public_unless_told_otherwise(toy, path):
    """As it was."""
    assert requests.get(toy.url + path, timeout=5).status_code == 200
    answer = requests.options(toy.url + path, timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", ["/manual", "/manual/", "/%6danual", CHAPTER, "/start"])
def test_a_description_that_is_switched_off_is_nowhere(method, path):
    """Nothing is at its paths, and nothing leads there; other redirects are as they were."""
    with running(docs=False, redirects=REDIRECTS) as toy:
        answer = requests.request(method, toy.url + path, timeout=5, allow_redirects=False)
        assert (answer.status_code, answer.headers.get("Allow")) == (404, None)
        if method != "HEAD":
            problem(answer, 404, "not_found")
        for other, target in (("/other", "/things"), ("/away", REDIRECTS["/away"])):
            answer = requests.get(toy.url + other, timeout=5, allow_redirects=False)
            assert (answer.status_code, answer.headers["Location"]) == (302, target)
