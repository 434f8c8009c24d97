"""The category tree.

Whoever changes its form locks the table against others who do: two moves at once could each be
fine and close a circle together. Readers, and products that get a category, do not wait.
"""

from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.orm import Session

from chassis.errors import AlreadyExists, Invalid, PreconditionFailed
from contracts.products.errors import (
    CategoryInUse,
    CategoryNotFound,
    TooManyCategories,
)
from products import cache_invalidation
from products.catalog import naming
from products.constraints import map_integrity_error
from products.models import Category, Product

#: The whole tree is one answer, so it has a bound.
MAX_CATEGORIES = 1000

_COLUMNS = (
    Category.id,
    Category.name,
    Category.slug,
    Category.description,
    Category.parent_id,
    Category.version,
)
_ALL = select(*_COLUMNS).order_by(Category.name, Category.id).limit(MAX_CATEGORIES)

_BROKEN = {
    "uq_categories_slug": lambda: AlreadyExists("This slug is taken", field="slug"),
    "fk_categories_parent_id": lambda: Invalid(
        errors={"parent_id": ["There is no such category."]}
    ),
}
_HANGS_ON = {"fk_categories_parent_id": CategoryInUse, "fk_products_category_id": CategoryInUse}


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """The whole tree as a flat list by name; `parent_id` gives its form."""
    return [dict(row) for row in connection.execute(_ALL).mappings()]


def get(connection: Connection | Session, category_id: int) -> dict[str, Any]:
    """The category; raises `CategoryNotFound`."""
    query = select(*_COLUMNS).where(Category.id == category_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise CategoryNotFound()
    return dict(row)


def add(session: Session, fields: dict[str, Any]) -> dict[str, Any]:
    """A new category; its slug comes from its name when none is given.

    Raises `AlreadyExists` (slug), `Invalid` (parent), `TooManyCategories`.
    """
    _lock_tree(session)
    slugs = set(session.scalars(select(Category.slug)))
    if len(slugs) >= MAX_CATEGORIES:
        raise TooManyCategories()
    fields = {"slug": naming.slug(fields["name"], slugs)} | fields
    with map_integrity_error(_BROKEN):
        created = session.execute(insert(Category).values(**fields, version=1).returning(*_COLUMNS))
    cache_invalidation.mark_changed(session)
    return dict(created.mappings().one())


def change(
    session: Session, category_id: int, fields: dict[str, Any], version: int | None
) -> dict[str, Any]:
    """The category with `fields` replaced; with a new parent it takes its branch along.

    Raises `CategoryNotFound`, `PreconditionFailed` when it is not at `version` (if given) any more,
    `AlreadyExists` (slug), `Invalid` (parent unknown, or below it).
    """
    _lock_tree(session)
    before = _expected(session, category_id, version)
    parent_id = fields.get("parent_id", before["parent_id"])
    if parent_id is not None and category_id in _path(session, parent_id):
        raise Invalid(errors={"parent_id": ["A category can't be below itself."]})
    if fields:
        with map_integrity_error(_BROKEN):
            session.execute(
                update(Category)
                .where(Category.id == category_id)
                .values(**fields, version=Category.version + 1)
            )
        cache_invalidation.mark_changed(session)
    return get(session, category_id)


def remove(session: Session, category_id: int, version: int | None) -> None:
    """Delete a category that nothing hangs on.

    Raises `CategoryNotFound`, `CategoryInUse`, `PreconditionFailed` when it is not at `version` (if
    given) any more. Deleted products lose their category, which nobody will see.
    """
    _lock_tree(session)
    _expected(session, category_id, version)
    gone = Product.deleted_at.is_not(None)
    session.execute(
        update(Product).where(Product.category_id == category_id, gone).values(category_id=None)
    )
    with map_integrity_error(_HANGS_ON):
        session.execute(delete(Category).where(Category.id == category_id))
    cache_invalidation.mark_changed(session)


def _expected(session: Session, category_id: int, version: int | None) -> dict[str, Any]:
    found = get(session, category_id)
    if version not in (None, found["version"]):
        raise PreconditionFailed(version=found["version"])
    return found


def _lock_tree(session: Session) -> None:
    session.execute(text("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE"))


def _path(session: Session, category_id: int) -> set[int]:
    """The category and all above it."""
    step = select(Category.id, Category.parent_id)
    path = step.where(Category.id == category_id).cte(recursive=True)
    path = path.union(step.join(path, Category.id == path.c.parent_id))
    return set(session.scalars(select(path.c.id)))
