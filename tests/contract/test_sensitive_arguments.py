"""What tracers and loggers of Nameko may not show: every entrypoint says it of its arguments."""

import inspect
from types import SimpleNamespace

import pytest
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR
from nameko.utils import REDACTED, get_redacted_args

from chassis.rpc.server import Rpc
from chassis.web.routes import Route
from tests.contract.services import SERVICES

#: Arguments that are secret or personal wherever they are.
SENSITIVE = {
    # Passwords, tokens, codes
    "password", "current_password", "new_password", "token", "refresh_token", "challenge", "code",
    # What pays, and what a provider tells of it
    "method", "signature",
    # Who and where people are
    "email", "username", "first_name", "last_name", "phone", "network", "user_agent",
    "address", "shipping_address", "line1", "line2", "city", "region", "postal_code",
    # What people write to each other
    "subject",
}  # fmt: skip
#: Those that only some calls have under a name that others use for something else.
SOME = {
    "users.list": {"search"},
    "payments.webhook": {"body"},
    "notifications.send": {"body"},
}
#: Names of them that are something else in some calls: how the shop is set up, and nobody's.
SETTINGS = {
    **{f"inventory.{what}_location": {"code", "name", "country"} for what in ("create", "update")},
    "inventory.get_location": {"code"},
    "orders.create_shipping_method": {"code"},
    "orders.update_shipping_method": {"code"},
    "orders.create_tax_rate": {"region"},
}
CALLS = [
    (f"{service.name}.{method}", service, entrypoint)
    for service in SERVICES
    for method in dir(service)
    for entrypoint in getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ())
    if isinstance(entrypoint, Rpc) and entrypoint.schema_class
]


def arguments(name, entrypoint):
    """What the method may be called with: every field of its schema."""
    fields = set(entrypoint.schema_class._declared_fields) | SOME.get(name, set())
    return dict.fromkeys(fields, "to be seen")


@pytest.mark.parametrize(("name", "service", "entrypoint"), CALLS, ids=[c[0] for c in CALLS])
def test_what_is_sensitive_is_redacted(name, service, entrypoint):
    """And ids are there to be looked at."""
    bound = SimpleNamespace(
        sensitive_arguments=entrypoint.sensitive_arguments,
        container=SimpleNamespace(service_cls=service),
        method_name=name.partition(".")[2],
    )
    given = arguments(name, entrypoint)
    shown = set()
    for key, value in get_redacted_args(bound, **given).items():
        members = value.items() if isinstance(value, dict) else [(key, value)]
        shown |= {key for key, value in members if value != REDACTED}
    assert not shown & (SENSITIVE - SETTINGS.get(name, set()) | SOME.get(name, set()))
    assert {key for key in given if key.endswith("_id")} - {"category_id"} <= shown


def test_routes_show_nothing_of_their_request():
    """Its headers hold tokens, its body whatever people write."""
    gateway = next(service for service in SERVICES if service.name == "gateway")
    routes = [
        entrypoint
        for _, method in inspect.getmembers(gateway, inspect.isfunction)
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
        if isinstance(entrypoint, Route)
    ]
    assert routes
    assert {entrypoint.sensitive_arguments for entrypoint in routes} == {"request"}
