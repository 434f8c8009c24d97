"""What shipping a cart costs, by each method that carries it."""

import uuid
from typing import Any

from chassis.errors import NotFound
from chassis.messages import Json
from contracts.orders.errors import AddressNeeded, MixedCurrencies
from contracts.users.answers import DefaultAddress
from orders import catalog
from orders.cart import queries
from orders.context import CartContext
from orders.shipping import queries as shipping_queries
from orders.shipping import rules
from orders.shipping.rules import Place, Quote
from orders.terms.rules import goods

#: What decides the zone.
_ADDRESS = DefaultAddress(only=("country", "region", "postal_code"))


def quotes(context: CartContext, user_id: uuid.UUID) -> Json:
    """The methods that carry the cart to the buyer's default address, the cheapest first.

    Raises `AddressNeeded` when there is none, `MixedCurrencies` when the cart has several.
    """
    with context.db.autocommit() as connection:
        contents = queries.read(connection, user_id)
    variants = catalog.look_up(context.products, contents.variant_ids)
    currency, lines = contents.priced(variants, context.settings["currency"])
    if currency is None:
        raise MixedCurrencies(errors={"items": ["One order has one currency."]})
    place = Place.of(_address(context, user_id))
    with context.db.autocommit() as connection:
        offer = shipping_queries.offer(connection, place.country)
    items = [_view(quote) for quote in rules.quotes(offer, place, goods(lines, currency))]
    return {"items": items, "required": offer.ships}


def _address(context: CartContext, user_id: uuid.UUID) -> dict[str, Any]:
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
