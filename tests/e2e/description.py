"""Holds real answers against what `/api/openapi.json` says of them."""

import functools

from jsonschema import Draft202012Validator

from chassis.web import route_table
from chassis.web.openapi import FOLDED, describe
from gateway.api_docs import MANUAL
from gateway.service import GatewayService

ROUTES = route_table(GatewayService)
DOCUMENT = describe(ROUTES, MANUAL)


@functools.cache
def _responses(name):
    entry = ROUTES[name]
    return DOCUMENT["paths"][entry.path][entry.method.lower()]["responses"]


@functools.cache
def _validator(reference):
    root = {"$ref": reference, "components": DOCUMENT["components"]}
    return Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)


def hold(name, answer):
    """Assert that status, media type and body of the answer are as described."""
    status = answer.status_code
    described = _responses(name).get(f"{status // 100}XX" if status in FOLDED else str(status))
    assert described, (name, answer.status_code, answer.text)
    if "$ref" in described:
        kind = described["$ref"].rpartition("/")[2]
        described = DOCUMENT["components"]["responses"][kind]
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in described:
        assert media_type == ""
        return
    if media_type not in ("application/json", "application/problem+json"):
        assert media_type in described["content"] or "*/*" in described["content"]
        return
    shape = described["content"][media_type]["schema"]
    faults = [e.message for e in _validator(shape["$ref"]).iter_errors(answer.json())]
    assert faults == [], (name, faults)
