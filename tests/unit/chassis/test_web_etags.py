"""`ETag`, `If-None-Match` and `If-Match`."""

import pytest
import requests

from chassis import fields
from chassis.web import expected_version, route
from tests.unit.chassis.web_toy import ANYONE, running


class Note(fields.Request):
    text = fields.Text(max=100, required=True)


class Desk:
    name = "desk"
    things = {"version": 3, "text": "a"}

    @route("GET", "/note", who=ANYONE, etag=True)
    def get_note(self, request):
        """A note."""
        return dict(self.things)

    @route("GET", "/plain", who=ANYONE, etag=True)
    def get_plain(self, request):
        """Something without a version."""
        return {"text": self.things["text"]}

    @route("PUT", "/note", who=ANYONE, body=Note, etag=True)
    def put_note(self, request, body):
        """The version that is expected."""
        return {"version": 3, "text": str(expected_version(request))}


@pytest.fixture(scope="module")
def desk():
    with running(Desk) as desk:
        yield desk


def get(desk, path="/note", method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, desk.url + path, headers=headers, timeout=5)


def expected(desk, tags):
    answer = requests.put(
        desk.url + "/note", json={"text": "b"}, headers={"If-Match": tags}, timeout=5
    )
    return answer.json()["text"] if answer.ok else answer


@pytest.mark.parametrize("path", ["/note", "/plain"])
def test_a_known_tag_is_a_304_without_a_body(desk, path):
    """Weak or strong, alone or among others, for HEAD too; what caches need comes along."""
    first = get(desk, path)
    tag = first.headers["ETag"]
    assert tag[0] == tag[-1] == chr(34)
    assert get(desk, path).headers["ETag"] == tag
    for method in ("GET", "HEAD"):
        for sent in (tag, f"W/{tag}", f'"x", {tag}', f'"a,b",{tag}', "*"):
            again = get(desk, path, method, If_None_Match=sent)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


@pytest.mark.parametrize("sent", ['"x"', "", "x", '"', 'W/"x', "*, *"])
def test_another_tag_or_none_at_all_is_a_200(desk, sent):
    """What can't be read is passed over."""
    assert get(desk, If_None_Match=sent).json() == Desk.things


def test_a_tag_changes_with_the_body(desk, monkeypatch):
    """Even when the version stays."""
    tag = get(desk).headers["ETag"]
    monkeypatch.setitem(Desk.things, "text", "b")
    changed = get(desk, If_None_Match=tag)
    assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)


def test_if_match_names_a_version(desk):
    """The highest of several; weak and foreign tags never hold."""
    tag = get(desk).headers["ETag"]
    never = str(2**63 - 1)
    assert expected(desk, tag) == "3"
    assert expected(desk, f'"2-{"0" * 32}", {tag}, "x"') == "3"
    assert expected(desk, "*") == "None"
    for sent in (f"W/{tag}", '"x"', '"3"', '""'):
        assert expected(desk, sent) == never


@pytest.mark.parametrize("sent", ["x", '"x', '"a" "b"', '"a",', "*, *", ""])
def test_a_malformed_if_match_changes_nothing(desk, sent):
    """400: the client meant a condition, and we can't tell which."""
    answer = expected(desk, sent)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_if_match")
