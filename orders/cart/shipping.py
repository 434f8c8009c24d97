"""What shipping a cart costs, by each method that carries it."""

import uuid
from decimal import Decimal

from chassis.messages import Json
from contracts.orders.errors import AddressNeeded, MixedCurrencies
from orders import addresses, catalog
from orders.cart import queries
from orders.context import CartContext
from orders.shipping.rules import Quote
from orders.terms import store as terms_store
from orders.terms.rules import Charges, charge, quote


def quotes(context: CartContext, user_id: uuid.UUID) -> Json:
    """The methods that carry the cart to its address, or to the buyer's default one, the cheapest
    first, with what an order comes to by each.

    Raises `AddressNeeded` when there is neither, `MixedCurrencies` when the cart has several.
    """
    now = context.clock()
    with context.db.autocommit() as connection:
        contents = queries.read(connection, user_id)
    variants = catalog.look_up(context.products, contents.variant_ids)
    currency, lines = contents.priced(variants, context.settings["currency"])
    if currency is None:
        raise MixedCurrencies(errors={"items": ["One order has one currency."]})
    address = contents.address or addresses.default(context.users, user_id)
    if address is None:
        raise AddressNeeded
    with context.db.autocommit() as connection:
        terms = terms_store.read(connection, address["country"], now)
    charges = Charges(terms, now, context.settings["prices_include_tax"])
    items = [
        _view(one, charge(lines, currency, address, charges, one).total)
        for one in quote(lines, currency, address, terms)
    ]
    return {"items": items}


def _view(quoted: Quote, total: Decimal) -> Json:
    method = quoted.method
    return {
        "code": method.code,
        "name": method.name,
        "price": quoted.price,
        "total": total,
        "currency": method.currency,
        "free_from": method.free_from,
        "min_days": method.min_days,
        "max_days": method.max_days,
    }
