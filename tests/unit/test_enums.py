"""Words of the contracts that are stored, and asked for later: each is used, and by its member."""

import ast
from pathlib import Path

import pytest

from contracts.users.enums import Action, Target

ROOT = Path(__file__).parents[2]
PACKAGES = ("notifications", "orders", "payments", "products", "users")


def members_in(package):
    """(enum, member) of every `Enum.MEMBER` in the package's modules."""
    for module in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield node.value.id, node.attr


@pytest.fixture(scope="module")
def used():
    return {found for package in PACKAGES for found in members_in(package)}


@pytest.mark.parametrize("words", [Action, Target])
def test_every_word_of_the_audit_trail_is_somebodys(used, words):
    """One that nobody writes can be asked for, and is never found."""
    assert {name for enum, name in used if enum == words.__name__} == set(words.__members__)
