"""What a buyer puts aside. Every command answers with the cart.

What the answer needs of the variants is looked up before anything is changed: a change whose answer
then fails would be made again by a repeat.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from chassis import countries
from chassis.errors import Invalid
from chassis.messages import Json
from contracts.products.errors import ChooseVariant
from orders import catalog
from orders.cart import queries, store
from orders.cart.queries import Contents
from orders.context import CartContext


@dataclass(frozen=True, slots=True)
class Named:
    """A variant, by its id or by that of its product."""

    variant_id: int | None = None
    product_id: int | None = None


def add(context: CartContext, user_id: uuid.UUID, named: Named, quantity: int) -> Json:
    """Put so many of a variant in, beside what is there of it. Raises `Invalid` when there is none,
    `ChooseVariant` when the product has several, or see `store.add`."""
    # The only variant of a product has the product's id, as a rule.
    _, variants = _look_up(context, user_id, named.variant_id or named.product_id)
    variant = _sold(context, variants, named)
    with context.db.begin() as session:
        store.add(session, user_id, variant, quantity, context.clock(), variants)
    return queries.show(context, user_id, variants)


def set_quantity(context: CartContext, user_id: uuid.UUID, named: Named, quantity: int) -> Json:
    """So many of a variant that is in the cart; raises `NotFound` when it is not, `ChooseVariant`
    when several of the product are."""
    contents, variants = _look_up(context, user_id)
    variant_id = _put_in(contents, variants, named)
    with context.db.begin() as session:
        store.set_quantity(session, user_id, variant_id, quantity, context.clock())
    return queries.show(context, user_id, variants)


def remove(context: CartContext, user_id: uuid.UUID, named: Named, quantity: int | None) -> Json:
    """Take a variant out, or `quantity` of it; one that is not there is out already. Raises
    `ChooseVariant` when several of the product are in the cart."""
    contents, variants = _look_up(context, user_id)
    variant_id = _put_in(contents, variants, named)
    with context.db.begin() as session:
        store.remove(session, user_id, variant_id, quantity, context.clock())
    return queries.show(context, user_id, variants)


def set_address(
    context: CartContext,
    user_id: uuid.UUID,
    country: str,
    region: str | None,
    postal_code: str | None,
) -> Json:
    """Where the cart is to go, for the estimate of tax and shipping."""
    _, variants = _look_up(context, user_id)
    address = {
        "country": country,
        "region": region,
        "postal_code": postal_code and countries.postal_code(postal_code, country),
    }
    with context.db.begin() as session:
        store.set_address(session, user_id, address, context.clock())
    return queries.show(context, user_id, variants)


def clear(context: CartContext, user_id: uuid.UUID) -> Json:
    """Take everything out."""
    with context.db.begin() as session:
        store.clear(session, user_id, context.clock())
    return queries.show(context, user_id)


def _look_up(
    context: CartContext, user_id: uuid.UUID, more: int | None = None
) -> tuple[Contents, catalog.Variants]:
    """What is in the cart, with all those variants, and one more."""
    with context.db.autocommit() as connection:
        contents = queries.read(connection, user_id)
    ids = [*contents.variant_ids, *(() if more is None else (more,))]
    return contents, catalog.look_up(context.products, ids)


def _sold(context: CartContext, variants: catalog.Variants, named: Named) -> dict[str, Any]:
    """The variant as it is sold now; `variants` has the one of that id."""
    if named.product_id is None:
        variant = variants[named.variant_id] if named.variant_id else None
        if variant is None:
            raise Invalid(errors={"variant_id": ["There is no such variant."]})
        return variant
    variant = variants[named.product_id]
    if variant is None or not variant["is_only"]:
        variant = catalog.only_variants(context.products, [named.product_id])[named.product_id]
    if variant is None:
        raise Invalid(errors={"product_id": ["There is no such product."]})
    return variant


def _put_in(contents: Contents, variants: catalog.Variants, named: Named) -> int:
    """The id of the variant that is meant of those in the cart, or else of none of them."""
    if named.variant_id is not None:
        return named.variant_id
    product_id = named.product_id or 0
    of_product = [line for line in contents.lines if line.product_id == product_id]
    if len(of_product) > 1:
        sold = [contents.sold(line, variants) for line in of_product]
        raise ChooseVariant.of({product_id: sold})
    return of_product[0].variant_id if of_product else product_id
