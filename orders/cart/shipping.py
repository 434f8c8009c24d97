"""What shipping a cart costs, by each method that carries it."""

import uuid
from collections.abc import Mapping
from typing import Any

from chassis.errors import NotFound
from chassis.messages import Json
from contracts.orders.errors import AddressNeeded, MixedCurrencies
from contracts.users.answers import DefaultAddress
from orders import catalog
from orders.cart import queries
from orders.cart.queries import Contents
from orders.context import CartContext
from orders.shipping import queries as shipping_queries
from orders.shipping import rules
from orders.shipping.rules import Goods, Place, Quote

#: What decides the zone.
_ADDRESS = DefaultAddress(only=("country", "region", "postal_code"))


def quotes(context: CartContext, user_id: uuid.UUID) -> Json:
    """The methods that carry the cart to its address, or to the buyer's default one, the cheapest
    first.

    Raises `AddressNeeded` when there is neither, `MixedCurrencies` when the cart has several.
    """
    with context.db.autocommit() as connection:
        contents = queries.read(connection, user_id)
    products = catalog.look_up(context.products, contents.product_ids)
    goods = _goods(contents, products, context.settings["currency"])
    place = Place.of(contents.address or _default_address(context, user_id))
    with context.db.autocommit() as connection:
        offer = shipping_queries.offer(connection, place.country)
    items = [_view(quote) for quote in rules.quotes(offer, place, goods)]
    return {"items": items, "required": offer.ships}


def _goods(
    contents: Contents, products: Mapping[int, Mapping[str, Any] | None], currency: str
) -> Goods:
    cart = queries.view(contents, products, currency)
    if cart["currency"] is None:
        raise MixedCurrencies(errors={"items": ["One order has one currency."]})
    found = [(products.get(line.product_id), line.quantity) for line in contents.lines]
    weights = [(product.get("weight_g") or 0) * quantity for product, quantity in found if product]
    return Goods(cart["total"], cart["currency"], sum(weights))


def _default_address(context: CartContext, user_id: uuid.UUID) -> dict[str, Any]:
    try:
        return _ADDRESS.load(context.users.default_address(user_id=user_id))
    except NotFound:
        raise AddressNeeded from None


def _view(quote: Quote) -> Json:
    method = quote.method
    return {
        "code": method.code,
        "name": method.name,
        "price": quote.price,
        "currency": method.currency,
        "free_from": method.free_from,
        "min_days": method.min_days,
        "max_days": method.max_days,
    }
