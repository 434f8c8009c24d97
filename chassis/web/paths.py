"""Which route a path means.

A name that is written in a path beats a parameter at the same place, whatever the method: where
only `POST /users/login` is known, `PUT /users/login` is not allowed, though there is a
`PUT /users/{user_id}` that would take "login" for an id.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection, Iterable
from typing import Any

from werkzeug.routing import BaseConverter, Map, Rule

from chassis.web.errors import NoSuchRoute

_PARAMETER = re.compile(r"{(\w+)}")


class Segment(BaseConverter):
    """One segment of a path, unless it is one of `names`."""

    def __init__(self, url_map: Map, *names: str):
        super().__init__(url_map)
        taken = "|".join(map(re.escape, names))
        self.regex = rf"(?!(?:{taken})\Z)[^/]+" if names else "[^/]+"


def url_map(routes: Iterable[Any], hidden: Collection[Any] = ()) -> Map:
    """Finds a route by its path and method. At the paths of `hidden` ones is nothing: their names
    are no values of parameters either."""
    routes = list(routes)
    paths = [tuple(route.path.split("/")) for route in routes]
    found = Map(converters={"segment": Segment}, merge_slashes=False)
    for route, path in zip(routes, paths, strict=True):
        if route in hidden:
            continue
        template = "/".join(_part(path, place, paths) for place in range(len(path)))
        found.add(Rule(template, methods=[route.method], endpoint=route))
    return found


def _part(path: tuple[str, ...], place: int, paths: list[tuple[str, ...]]) -> str:
    """A segment of `path` as werkzeug's rules have it."""
    parameter = _PARAMETER.fullmatch(path[place])
    if parameter is None:
        return path[place]
    before = _unnamed(path[:place])
    beside = {p[place] for p in paths if len(p) > place and _unnamed(p[:place]) == before}
    names = sorted(name for name in beside if not _PARAMETER.fullmatch(name))
    return f"<segment({', '.join(map(repr, names))}):{parameter[1]}>"


def _unnamed(path: tuple[str, ...]) -> list[str]:
    """The segments of a path, whatever its parameters are called."""
    return [_PARAMETER.sub("{}", segment) for segment in path]


def decoded(path: str) -> str:
    """The path without percent-encoding and without one slash at its end.

    Raises `NoSuchRoute` where a decoded path would mean another one: an encoded slash separates
    nothing and is in no name of ours, an empty segment is none; what is not UTF-8 is no text.
    """
    plain = path
    if "%" in path:
        try:
            plain = urllib.parse.unquote(path, errors="strict")
        except UnicodeError:
            raise NoSuchRoute() from None
        if plain.count("/") != path.count("/"):
            raise NoSuchRoute()
    if "//" in plain:
        raise NoSuchRoute()
    return plain.removesuffix("/") or "/"
