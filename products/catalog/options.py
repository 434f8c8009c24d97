"""The options of a product, and the key that a variant has by its values of them.

Plain rules. Names are compared without regard to small and large letters: "m" is "M", as it was
written first. A key has the ids of the values and not their names: a variant stays the one that it
is when they are written in another way, and the same word in two options is two values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import Invalid
from contracts.products.fields import MAX_OPTION_VALUES, MAX_OPTIONS


@dataclass
class Option:
    """An option with its values, as they are shown, and the ids of both; None while it is new."""

    name: str
    id: int | None = None
    values: dict[str, int | None] = field(default_factory=dict)


#: The options of one product, in their order.
Options = list[Option]


def folded(name: str) -> str:
    """What is the same for names that differ in small and large letters alone."""
    return name.casefold()


def with_declared(known: Options, names: Iterable[tuple[str, Sequence[str]]]) -> Options:
    """The options with what `names` has beside them: each option and its values once.

    Raises `Invalid` when there are too many.
    """
    options = [Option(each.name, each.id, dict(each.values)) for each in known]
    for name, values in names:
        option = find(options, name)
        if option is None:
            option = Option(name)
            options.append(option)
        there = {folded(value) for value in option.values}
        for value in values:
            if folded(value) not in there:
                there.add(folded(value))
                option.values[value] = None
    _check_bounds(options)
    return options


def find(options: Options, name: str) -> Option | None:
    """The option of this name."""
    return next((each for each in options if folded(each.name) == folded(name)), None)


def option_key(options: Options, chosen: Mapping[str, str]) -> str:
    """The key of the variant that has the values `chosen` of `options`, which have their ids.

    Raises `Invalid` unless it has one value of each option.
    """
    values = {folded(name): value for name, value in chosen.items()}
    if len(values) < len(chosen):
        raise Invalid(errors={"options": ["An option is named twice."]})
    missing = [each.name for each in options if folded(each.name) not in values]
    if missing:
        raise Invalid(errors={"options": [f"Give a value of {', '.join(missing)}."]})
    ids = (_id_of(each, values[folded(each.name)]) for each in options)
    return ",".join(map(str, sorted(ids)))


def values_of(key: str, options: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The values of the variant with this key, by the names of their `options` (`{"name",
    "values": [{"id", "value"}]}`), in the order of those."""
    ids = set(map(int, key.split(","))) if key else set()
    return {
        option["name"]: value["value"]
        for option in options
        for value in option["values"]
        if value["id"] in ids
    }


def _id_of(option: Option, value: str) -> int:
    return next(id for known, id in option.values.items() if folded(known) == folded(value) and id)


def _check_bounds(options: Options) -> None:
    if len(options) > MAX_OPTIONS:
        raise Invalid(errors={"options": [f"At most {MAX_OPTIONS} options of one product."]})
    for option in options:
        if len(option.values) > MAX_OPTION_VALUES:
            raise Invalid(errors={"options": [f"At most {MAX_OPTION_VALUES} values of an option."]})
