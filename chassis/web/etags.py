"""Conditional requests (RFC 9110, 13): a strong `ETag` on single resources, 304 and 412.

A tag is `"<digest>"` of the body or, for a resource with a `version`, `"<version>-<digest>"`. So
`If-None-Match` sees every change of the answer, while `If-Match` asks whether somebody has
written meanwhile: the service compares the version in the transaction that writes.
"""

from __future__ import annotations

import hashlib
import re

from chassis.web.errors import BadRequest
from chassis.web.request import Request
from chassis.web.responses import Response

_ONE = r'(W/)?"([\x21\x23-\x7e]*)"'
_TAG = re.compile(_ONE)
_TAGS = re.compile(rf"[ \t]*{_ONE}(?:[ \t]*,[ \t]*{_ONE})*[ \t]*\Z")
_VERSIONED = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{32}\Z")
#: A version that nothing reaches.
_NEVER = 2**63 - 1


def tag(response: Response, is_public: bool) -> None:
    """Give the answer its tag, unless it brings one. Clients may keep what is public and have to
    ask; what only some may see is kept nowhere (OWASP ASVS 5.0, 14.3.2), and its tag is for
    `If-Match` and for clients that have stored it."""
    if "ETag" not in response.headers:
        response.headers["ETag"] = f'"{_tag_of(response)}"'
    if is_public:
        response.headers.setdefault("Cache-Control", "private, no-cache")


def unless_known(request: Request, response: Response) -> Response:
    """The answer, or 304 when the client has it already."""
    sent = request.header("If-None-Match")
    if sent is None or request.method not in ("GET", "HEAD"):
        return response
    etag = response.headers.get("ETag")
    if etag is None or not _knows(sent, etag.strip('"')):
        return response
    return Response(status=304, headers=response.headers)


def _tag_of(response: Response) -> str:
    version = response.body.get("version")
    response.body = response.payload()
    digest = hashlib.blake2b(response.body, digest_size=16).hexdigest()
    return digest if version is None else f"{version}-{digest}"


def expected_version(request: Request) -> int | None:
    """The version that the resource must be at by `If-Match`, None for any.

    Versions only grow, so of several tags only the one with the highest can still hold. Weak and
    foreign tags never do. Raises `BadRequest` for what is no list of tags.
    """
    sent = request.header("If-Match")
    if sent is None or sent.strip() == "*":
        return None
    if not _TAGS.match(sent):
        raise BadRequest("If-Match is a list of entity tags, or *", code="malformed_if_match")
    strong = (_VERSIONED.match(value) for weak, value in _TAG.findall(sent) if not weak)
    return max((int(match[1]) for match in strong if match), default=_NEVER)


def _knows(sent: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag; one that can't be read names nothing."""
    if sent.strip() == "*":
        return True
    return bool(_TAGS.match(sent)) and tag in (value for _, value in _TAG.findall(sent))
