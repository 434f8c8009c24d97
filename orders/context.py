"""What the commands and queries of orders need around them."""

from collections.abc import Mapping
from typing import Any, Protocol

from chassis import context
from contracts.inventory.interface import Inventory
from contracts.payments.interface import Payments
from contracts.products.interface import Products
from contracts.users.interface import Users


class CartContext(context.DatabaseContext, Protocol):
    """The service `carts`, as its commands see it."""

    @property
    def settings(self) -> Mapping[str, Any]: ...

    products: Products
    users: Users


class Context(context.Context, Protocol):
    """The service `orders`, as its commands see it; it calls four others."""

    trace_id: str | None
    #: Where the client is; None among services.
    network: str | None
    products: Products
    inventory: Inventory
    payments: Payments
    users: Users
