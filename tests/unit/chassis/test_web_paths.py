"""Which route a path means."""

from typing import NamedTuple

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from chassis.web.paths import url_map


class Toy(NamedTuple):
    """What is asked of a route here."""

    method: str
    path: str


ROUTES = [
    Toy(method, path)
    for method, path in (
        ("GET", "/users"),
        ("POST", "/users/log-in"),
        ("GET", "/users/me.json"),
        ("GET", "/users/{user_id}"),
        ("DELETE", "/users/{user_id}"),
        ("GET", "/orders/{order_id}"),
        ("GET", "/orders/{order_id}/timeline"),
        ("GET", "/orders/of/{user_id}"),
    )
]
ADAPTER = url_map(ROUTES).bind("localhost")


@pytest.mark.parametrize(
    ("method", "path", "meant", "values"),
    [
        ("GET", "/users", "/users", {}),
        ("GET", "/users/7", "/users/{user_id}", {"user_id": "7"}),
        ("DELETE", "/users/log-in2", "/users/{user_id}", {"user_id": "log-in2"}),
        ("DELETE", "/users/log", "/users/{user_id}", {"user_id": "log"}),
        ("DELETE", "/users/me-json", "/users/{user_id}", {"user_id": "me-json"}),
        ("POST", "/users/log-in", "/users/log-in", {}),
        ("GET", "/orders/7/timeline", "/orders/{order_id}/timeline", {"order_id": "7"}),
        ("GET", "/orders/of/7", "/orders/of/{user_id}", {"user_id": "7"}),
        ("GET", "/orders/of/timeline", "/orders/of/{user_id}", {"user_id": "timeline"}),
    ],
)
def test_a_path_means_one_route(method, path, meant, values):
    """Parameters stand for one segment each."""
    route, found = ADAPTER.match(path, method=method)
    assert (route.method, route.path, found) == (method, meant, values)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/users/log-in", {"POST"}), ("/users/me.json", {"GET", "HEAD"})],
)
def test_a_written_name_is_never_a_value(path, allowed):
    """Whatever other methods a parameter in its place has."""
    with pytest.raises(MethodNotAllowed):
        ADAPTER.match(path, method="DELETE")
    assert set(ADAPTER.allowed_methods(path)) == allowed


@pytest.mark.parametrize("path", ["/orders/of", "/users/7/8", "/users//", "/nothing"])
def test_no_route_is_at_other_paths(path):
    """Nor at the beginning of one, or beyond its end."""
    with pytest.raises(NotFound):
        ADAPTER.match(path, method="GET")
