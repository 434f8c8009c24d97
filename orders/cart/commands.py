"""What a buyer puts aside. Every command answers with the cart.

What the answer needs of the products is looked up before anything is changed: a change whose answer
then fails would be made again by a repeat.
"""

import uuid

from chassis import countries
from chassis.errors import Invalid
from chassis.messages import Json
from orders import catalog
from orders.cart import queries, store
from orders.context import CartContext


def add(context: CartContext, user_id: uuid.UUID, product_id: int, quantity: int) -> Json:
    """Put so many of a product in, beside what is there of it. Raises `Invalid` when there is no
    such product, or see `store.add`."""
    products = _look_up(context, user_id, product_id)
    product = products[product_id]
    if product is None:
        raise Invalid(errors={"product_id": ["There is no such product."]})
    with context.db.begin() as session:
        store.add(session, user_id, product, quantity, context.clock(), products)
    return queries.show(context, user_id, products)


def set_quantity(context: CartContext, user_id: uuid.UUID, product_id: int, quantity: int) -> Json:
    """So many of a product that is in the cart; raises `NotFound` when it is not."""
    products = _look_up(context, user_id)
    with context.db.begin() as session:
        store.set_quantity(session, user_id, product_id, quantity, context.clock())
    return queries.show(context, user_id, products)


def remove(context: CartContext, user_id: uuid.UUID, product_id: int, quantity: int | None) -> Json:
    """Take a product out, or `quantity` of it; one that is not there is out already."""
    products = _look_up(context, user_id)
    with context.db.begin() as session:
        store.remove(session, user_id, product_id, quantity, context.clock())
    return queries.show(context, user_id, products)


def set_address(
    context: CartContext,
    user_id: uuid.UUID,
    country: str,
    region: str | None,
    postal_code: str | None,
) -> Json:
    """Where the cart is to go, for the estimate of tax and shipping."""
    products = _look_up(context, user_id)
    address = {
        "country": country,
        "region": region,
        "postal_code": postal_code and countries.postal_code(postal_code, country),
    }
    with context.db.begin() as session:
        store.set_address(session, user_id, address, context.clock())
    return queries.show(context, user_id, products)


def clear(context: CartContext, user_id: uuid.UUID) -> Json:
    """Take everything out."""
    with context.db.begin() as session:
        store.clear(session, user_id, context.clock())
    return queries.show(context, user_id)


def _look_up(context: CartContext, user_id: uuid.UUID, *more: int) -> catalog.Products:
    with context.db.autocommit() as connection:
        contents = queries.read(connection, user_id)
    return catalog.look_up(context.products, [*contents.product_ids, *more])
