"""What admins do to the catalog.

Each is one transaction: the change and its entry in the audit trail. After the commit a broadcast
names the products that look different now.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.orm import Session

from chassis import staff
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.users.enums import Action, Target
from products import cache_invalidation
from products.catalog import (
    categories,
    naming,
    option_store,
    queries,
    store,
    variant_queries,
    variant_store,
)
from products.context import Context


def create_product(
    context: Context,
    actor: Actor,
    stock: int,
    options: Sequence[Mapping[str, Any]],
    variants: Sequence[Mapping[str, Any]],
    fields: dict[str, Any],
) -> Json:
    """A new product with `options` and `variants`, or with one variant that has `stock`; its SKU
    and currency are new and the shop's if none are given.

    Raises `Forbidden`, `AlreadyExists` (SKU), `Invalid` (category; a price that its currency has no
    coins for; options), `VariantExists`.
    """
    require_admin(actor)
    fields = {"sku": naming.new_sku(), "currency": context.settings["currency"]} | fields
    now = context.clock()
    with _changing(context) as session:
        product_id = store.add(session, fields, stock, actor, now, options, variants)
        made = queries.get(session, product_id, now)
        priced = {"price": str(made["price"]), "currency": fields["currency"]}
        about = Target.PRODUCT, product_id
        stocked = stock or sum(variant["stock"] for variant in variants)
        staff.tell(context, session, actor, Action.PRODUCT_CREATED, *about, **priced, stock=stocked)
        return made


def update_product(
    context: Context, actor: Actor, product_id: int, version: int | None, fields: dict[str, Any]
) -> Json:
    """The product with `fields` replaced.

    Raises `Forbidden`, `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more, `AlreadyExists` (SKU), `Invalid` (category; a price that its currency has no
    coins for).
    """
    require_admin(actor)
    now = context.clock()
    with _changing(context) as session:
        changed = store.change(session, product_id, fields, version, now)
        if changed:
            _tell_changed(context, session, actor, product_id, changed)
        return queries.get(session, product_id, now)


def delete_product(context: Context, actor: Actor, product_id: int, version: int | None) -> None:
    """Nobody finds or orders the product any more; what has been ordered is not touched.

    Raises `Forbidden`, `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more.
    """
    require_admin(actor)
    with _changing(context) as session:
        store.remove(session, product_id, version, context.clock())
        staff.tell(context, session, actor, Action.PRODUCT_DELETED, Target.PRODUCT, product_id)


def create_variant(context: Context, actor: Actor, product_id: int, fields: dict[str, Any]) -> Json:
    """A new variant of a product; its SKU is new if none is given.

    Raises `Forbidden`, and what `variant_store.add` raises.
    """
    require_admin(actor)
    now = context.clock()
    with _changing(context) as session:
        variant_id = variant_store.add(session, product_id, fields, actor, now)
        changed = {"variant_id": variant_id, "fields": ["variants"], "stock": fields["stock"]}
        _tell_changed(context, session, actor, product_id, changed)
        return variant_queries.get(session, variant_id, now)


def update_variant(
    context: Context, actor: Actor, variant_id: int, version: int | None, fields: dict[str, Any]
) -> Json:
    """The variant with `fields` replaced.

    Raises `Forbidden`, and what `variant_store.change` raises.
    """
    require_admin(actor)
    now = context.clock()
    with _changing(context) as session:
        product_id, changed = variant_store.change(session, variant_id, fields, version, now)
        if changed:
            about = {"variant_id": variant_id} | changed
            _tell_changed(context, session, actor, product_id, about)
        return variant_queries.get(session, variant_id, now)


def delete_variant(context: Context, actor: Actor, variant_id: int, version: int | None) -> Json:
    """Nobody finds or orders the variant any more; what has been ordered is not touched. Answers
    with its product's id.

    Raises `Forbidden`, and what `variant_store.remove` raises.
    """
    require_admin(actor)
    with _changing(context) as session:
        product_id = variant_store.remove(session, variant_id, version, context.clock())
        changed = {"variant_id": variant_id, "fields": ["variants"]}
        _tell_changed(context, session, actor, product_id, changed)
        return {"product_id": product_id}


def update_option(
    context: Context,
    actor: Actor,
    product_id: int,
    option_id: int,
    version: int | None,
    name: str | None,
    values: Sequence[Mapping[str, Any]] | None,
) -> Json:
    """The product, of which an option has another name, or its values are these in their order.

    Raises `Forbidden`, and what `option_store.change` raises.
    """
    require_admin(actor)
    now = context.clock()
    with _changing(context) as session:
        option_store.change(session, product_id, option_id, name, values, version, now)
        changed = {"option_id": option_id, "fields": ["options"]}
        _tell_changed(context, session, actor, product_id, changed)
        return queries.get(session, product_id, now)


def delete_option(
    context: Context, actor: Actor, product_id: int, option_id: int, version: int | None
) -> Json:
    """The product without an option that no variant has a value of.

    Raises `Forbidden`, and what `option_store.remove` raises.
    """
    require_admin(actor)
    now = context.clock()
    with _changing(context) as session:
        option_store.remove(session, product_id, option_id, version, now)
        changed = {"option_id": option_id, "fields": ["options"]}
        _tell_changed(context, session, actor, product_id, changed)
        return queries.get(session, product_id, now)


def create_category(context: Context, actor: Actor, fields: dict[str, Any]) -> Json:
    """A new category; its slug comes from its name if none is given.

    Raises `Forbidden`, `AlreadyExists` (slug), `Invalid` (parent), `TooManyCategories`.
    """
    require_admin(actor)
    with _changing(context) as session:
        category = categories.add(session, fields)
        staff.tell(
            context, session, actor, Action.CATEGORY_CREATED, Target.CATEGORY, category["id"]
        )
        return category


def update_category(
    context: Context, actor: Actor, category_id: int, version: int | None, fields: dict[str, Any]
) -> Json:
    """The category with `fields` replaced; with a new parent it takes its branch along.

    Raises `Forbidden`, `CategoryNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more, `AlreadyExists` (slug), `Invalid` (parent unknown, or below it).
    """
    require_admin(actor)
    with _changing(context) as session:
        category = categories.change(session, category_id, fields, version)
        about = Target.CATEGORY, category_id
        staff.tell(context, session, actor, Action.CATEGORY_CHANGED, *about, fields=sorted(fields))
        return category


def delete_category(context: Context, actor: Actor, category_id: int, version: int | None) -> None:
    """Delete a category that has no products and no categories below it.

    Raises `Forbidden`, `CategoryNotFound`, `CategoryInUse`, `PreconditionFailed` when it is not at
    `version` (if given) any more.
    """
    require_admin(actor)
    with _changing(context) as session:
        categories.remove(session, category_id, version)
        staff.tell(context, session, actor, Action.CATEGORY_DELETED, Target.CATEGORY, category_id)


def _tell_changed(
    context: Context, session: Session, actor: Actor, product_id: int, changed: dict[str, Any]
) -> None:
    about = Target.PRODUCT, product_id
    staff.tell(context, session, actor, Action.PRODUCT_CHANGED, *about, **changed)


def _changing(context: Context) -> AbstractContextManager[Session]:
    return cache_invalidation.publishing(context, "catalog_changed")
