"""Words of the contracts that are stored, shown or asked for: each is somebody's, by its member."""

import ast
from pathlib import Path

import pytest

from contracts.notifications import enums as notifications
from contracts.orders import enums as orders
from contracts.payments import enums as payments
from contracts.users.enums import Action, Target

ROOT = Path(__file__).parents[2]
SERVICES = ("notifications", "orders", "payments", "products", "users")

#: Only in the audit trails of older installations, where they are found.
FORMER = {("Action", "ORDER_SHIPPED"), ("Action", "ORDER_DELIVERED")}


def members_in(package):
    """(enum, member) of every `Enum.MEMBER` in the package's modules."""
    for module in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield node.value.id, node.attr


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        (Action, SERVICES),
        (Target, SERVICES),
        (orders.Cause, ("orders",)),
        (orders.TimelineCause, ("orders", "gateway")),
        (orders.CheckoutReason, ("orders",)),
        (payments.RefundStatus, ("payments",)),
        (payments.FailureCode, ("payments",)),
        (notifications.FailureCode, ("notifications",)),
    ],
)
def test_every_word_is_somebodys(words, packages):
    """One that nobody writes can be asked for and is never found."""
    used = {member for package in packages for member in members_in(package)}
    assert {(words.__name__, name) for name in words.__members__} - FORMER <= used
