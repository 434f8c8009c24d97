"""Numbers of orders, as people type them."""

import uuid

import pytest

from orders.order import numbers

ID = uuid.UUID("94fdd03c-1b2c-4d3e-8f40-5a6b7c8d9e0f")


@pytest.mark.parametrize(
    "typed",
    [
        "S-102-748-399",
        "s-102-748-399",
        "102748399",
        " S 102 748 399 ",
        "#102-748-399",
        "S–102–748–399",
    ],
)
def test_a_number_is_known_however_it_is_typed(typed):
    """Hyphens, spaces, the letter and its case do not matter."""
    assert numbers.parse(typed) == "S-102-748-399"


@pytest.mark.parametrize(
    "typed",
    ["S-102-748-398", "S-102-784-399", "S-012-748-399", "02748399", "S-", "", "Zdenka", "S" * 400,
     "9" * 20, "١٠٢٧٤٨٣٩٩", "94FDD03C", "00000000"],
)  # fmt: skip
def test_what_is_mistyped_is_no_number(typed):
    """One wrong digit, two that have changed places, one too few: the last digit tells. Too few and
    too many are none although their last digit is right."""
    assert numbers.parse(typed) is None


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1102748397", "S-1102-748-397"),
        ("150000008", "S-150-000-008"),
        ("1000000000000000009", "S-1000000000000-000-009"),
    ],
)
def test_a_number_may_grow(typed, number):
    """From the hundred-millionth order on, up to a bigint; digits that double to ten check, too."""
    assert numbers.parse(typed) == number


@pytest.mark.parametrize("typed", ["94FDD03C", "94fdd03c", "#94FDD03C", str(ID), ID.hex])
def test_an_id_is_known_by_its_beginning(typed):
    """As older mails have it; or all of it, as addresses have it."""
    first, last = numbers.ids(typed)
    assert first <= ID <= last


@pytest.mark.parametrize(
    "typed",
    ["94FDD03", "94FDD03CA", "novakova", "94FDD0XC", "", "S-102-748-399", ID.hex + "0", "Z" * 32],
)
def test_what_is_no_id(typed):
    """Neither eight characters nor an id."""
    assert numbers.ids(typed) is None
