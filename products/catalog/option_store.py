"""The rows of options and their values: made, changed and deleted. Always under the lock of their
product (`products.catalog.rows`)."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import Invalid
from contracts.products.errors import OptionInUse, OptionNotFound
from products.catalog import rows
from products.catalog.options import Option, Options, folded, with_declared
from products.models import Option as OptionRow
from products.models import OptionValue, Variant


def _same_name() -> Invalid:
    return Invalid(errors={"options": ["Two names differ in small and large letters alone."]})


_BROKEN = {"uq_options_name": _same_name, "uq_option_values_value": _same_name}


def declare(
    session: Session,
    product_id: int,
    variants: Iterable[Mapping[str, Any]],
    declared: Iterable[Mapping[str, Any]] = (),
) -> Options:
    """The options of the product with those that are `declared` (`requests.NewOption`) and those
    that `variants` have a value of; what is missing is made."""
    names = [(option["name"], option["values"]) for option in declared]
    for fields in variants:
        names += [(name, [value]) for name, value in fields.get("options", {}).items()]
    options = with_declared(_options(session, product_id), names)
    with map_integrity_error(_BROKEN):
        for position, option in enumerate(options, 1):
            if option.id is None:
                new = {"product_id": product_id, "name": option.name, "position": position}
                option.id = session.scalar(insert(OptionRow).returning(OptionRow.id), new)
            _add_values(session, option)
    return options


def change(
    session: Session,
    product_id: int,
    option_id: int,
    name: str | None,
    values: Sequence[Mapping[str, Any]] | None,
    version: int | None,
    now: datetime.datetime,
) -> None:
    """Give the option another `name`; let its values be these, in their order. Variants stay those
    that they are.

    Raises `ProductNotFound`, `OptionNotFound`, `OptionInUse` when a variant has a value that is not
    among them, `Invalid`, `PreconditionFailed` when the product is not at `version` (if given) any
    more.
    """
    rows.lock(session, product_id, version)
    option = _option(session, product_id, option_id)
    with map_integrity_error(_BROKEN):
        if name is not None:
            session.execute(update(OptionRow).where(OptionRow.id == option_id).values(name=name))
        if values is not None:
            _replace_values(session, product_id, option, values)
    if name is not None or values is not None:
        rows.touch(session, product_id, now, is_searched=True)


def remove(
    session: Session,
    product_id: int,
    option_id: int,
    version: int | None,
    now: datetime.datetime,
) -> None:
    """Delete an option with its values, of which no variant has one.

    Raises `ProductNotFound`, `OptionNotFound`, `OptionInUse`, `PreconditionFailed` when the product
    is not at `version` (if given) any more.
    """
    rows.lock(session, product_id, version)
    _drop_values(session, product_id, _option(session, product_id, option_id), kept=())
    session.execute(delete(OptionRow).where(OptionRow.id == option_id))
    rows.touch(session, product_id, now, is_searched=True)


def _add_values(session: Session, option: Option) -> None:
    new = [
        {"option_id": option.id, "value": value, "position": position}
        for position, (value, id) in enumerate(option.values.items(), 1)
        if id is None
    ]
    if new:
        query = insert(OptionValue).returning(OptionValue.value, OptionValue.id)
        option.values |= dict(session.execute(query, new).all())


def _options(session: Session, product_id: int) -> Options:
    query = (
        select(OptionRow.id, OptionRow.name, OptionValue.value, OptionValue.id.label("value_id"))
        .outerjoin(OptionValue, OptionValue.option_id == OptionRow.id)
        .where(OptionRow.product_id == product_id)
        .order_by(OptionRow.position, OptionRow.id, OptionValue.position, OptionValue.id)
    )
    options: dict[int, Option] = {}
    for row in session.execute(query):
        option = options.setdefault(row.id, Option(row.name, row.id))
        if row.value_id is not None:
            option.values[row.value] = row.value_id
    return list(options.values())


def _option(session: Session, product_id: int, option_id: int) -> Option:
    options = _options(session, product_id)
    found = next((option for option in options if option.id == option_id), None)
    if found is None:
        raise OptionNotFound()
    return found


def _replace_values(
    session: Session, product_id: int, option: Option, values: Sequence[Mapping[str, Any]]
) -> None:
    known = set(option.values.values())
    kept = [value["id"] for value in values if "id" in value]
    if not known.issuperset(kept) or len(set(kept)) < len(kept):
        raise Invalid(errors={"values": ["An id is of no value of this option, or twice here."]})
    if len({folded(value["value"]) for value in values}) < len(values):
        raise Invalid(errors={"values": ["A value is there twice."]})
    # All anew, for two values may have changed their names with each other.
    _drop_values(session, product_id, option, kept)
    for position, value in enumerate(values, 1):
        row = {"option_id": option.id, "position": position, **value}
        session.execute(insert(OptionValue).values(**row))


def _drop_values(session: Session, product_id: int, option: Option, kept: Sequence[int]) -> None:
    """Delete the rows of an option's values. Raises `OptionInUse` when a variant has one that is
    not to be `kept`."""
    query = select(Variant.option_key).where(
        Variant.product_id == product_id, Variant.deleted_at.is_(None)
    )
    used = {int(id) for key in session.scalars(query) if key for id in key.split(",")}
    lost = [value for value, id in option.values.items() if id in used and id not in kept]
    if lost:
        raise OptionInUse(values=lost)
    session.execute(delete(OptionValue).where(OptionValue.option_id == option.id))
