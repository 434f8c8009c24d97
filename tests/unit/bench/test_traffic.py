"""Requests as bytes, and answers as they are compared."""

from bench.traffic import Request, comparable


def test_a_request_is_ready_to_send():
    """Every header that the contenders look at, and the length of the body."""
    request = Request("/api/orders", "POST", {"a": 1}, token="t0k3n", fresh=True, key="k3y")
    head, _, body = request.to_bytes().partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    assert first == "POST /api/orders HTTP/1.1"
    assert {
        "Authorization: Bearer t0k3n",
        "Cache-Control: no-cache",
        "Idempotency-Key: k3y",
    } <= {*headers}
    assert f"Content-Length: {len(body)}" in headers
    assert body == '{"a": 1}'


def test_a_read_has_no_body():
    """Nor a length of one."""
    text = Request("/ping/1").to_bytes()
    assert text.endswith("\r\n\r\n")
    assert "Content-Length" not in text


def test_the_same_moment_may_be_written_differently():
    """Z or +00:00, with or without the zeros of a fraction; cursors are everybody's own."""
    ours = {"items": [{"at": "2025-01-01T14:11:56Z"}], "next": "abc"}
    theirs = {"items": [{"at": "2025-01-01T14:11:56.000000+00:00"}], "next": "xyz"}
    assert comparable(ours) == comparable(theirs)


def test_another_value_is_another_answer():
    """And so is a list that ends earlier."""
    assert comparable({"price": "1.00"}) != comparable({"price": "1.0"})
    assert comparable({"items": [], "next": None}) != comparable({"items": [], "next": "abc"})
