"""What Schemathesis loads besides the description: it runs in a process of its own.

`FUZZ_KNOWN` maps names to values that are there. Half of the well-formed values under such a name
are replaced by one of them: chance alone finds no order. Which ones follows from the value itself,
so that the same seed makes the same requests.
"""

import json
import os
import re
import zlib

import schemathesis

KNOWN = json.loads(os.environ["FUZZ_KNOWN"])
SPARED = set(json.loads(os.environ["FUZZ_SPARED"]))

_FORMS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    "number": re.compile(r"[0-9]{1,18}"),
    "token": re.compile(r"[a-z]+_[A-Za-z0-9_]+"),
}


@schemathesis.hook
def map_case(context, case):
    """Let a request find something."""
    case.path_parameters = _known(case.path_parameters)
    case.query = _known(case.query)
    case.body = _known(case.body)
    return case


@schemathesis.hook
def before_call(context, case, kwargs):
    """Whoever sends the requests stays who they are, or the rest of them would be refused."""
    named = (case.path_parameters or {}).get("user_id")
    if case.method.upper() in ("PUT", "PATCH", "DELETE") and str(named).lower() in SPARED:
        case.path_parameters["user_id"] = KNOWN["user_id"][0]


def _known(value):
    """A copy of a part of a request with some values replaced."""
    if isinstance(value, list):
        return [_known(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _replaced(name, inner) for name, inner in value.items()}


def _replaced(name, value):
    if name not in KNOWN or not _is_alike(value, KNOWN[name][0]):
        return _known(value)
    turn, even = divmod(zlib.crc32(str(value).encode()), 2)
    return KNOWN[name][turn % len(KNOWN[name])] if even else value


def _is_alike(value, known):
    """Whether `value` has the form of `known`, so that the two differ in nothing but luck."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    matching = {kind for kind, form in _FORMS.items() if form.fullmatch(str(value))}
    return bool(matching & {k for k, form in _FORMS.items() if form.fullmatch(str(known))})
