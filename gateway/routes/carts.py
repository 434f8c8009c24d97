"""The cart."""

from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, route
from contracts.carts.answers import Cart
from contracts.carts.interface import Carts
from contracts.orders.shipping import ShippingQuotes
from gateway.access import USER
from gateway.schemas.orders import CartAddressChange, CartItem, CartRemoval


class CartRoutes:
    """`/api/carts…`: one's own cart. Every route that changes it answers with it."""

    carts: Carts = RpcProxy("carts", timeout=8)

    @route("GET", "/api/carts", who=USER, answer=Cart)
    def get_cart(self, request: Request) -> Json:
        """Your cart, with prices and stock as they are now."""
        return self.carts.get(user_id=request.actor.user_id)

    @route("DELETE", "/api/carts", who=USER, answer=Cart)
    def clear_cart(self, request: Request) -> Json:
        """Empty your cart."""
        return self.carts.clear(user_id=request.actor.user_id)

    @route("POST", "/api/carts/add_item", who=USER, body=CartItem, answer=Cart, faults=(409,))
    def add_to_cart(self, request: Request, body: Json) -> Json:
        """Add units of a variant to your cart, or of a product that has only one."""
        return self.carts.add_item(user_id=request.actor.user_id, **body)

    @route("POST", "/api/carts/remove_item", who=USER, body=CartRemoval, answer=Cart, faults=(409,))
    def remove_from_cart(self, request: Request, body: Json) -> Json:
        """Take units of a variant out of your cart, or all of them."""
        return self.carts.remove_item(user_id=request.actor.user_id, **body)

    @route(
        "PUT",
        "/api/carts/update_quantity",
        who=USER,
        body=CartItem,
        answer=Cart,
        faults=(404, 409),
    )
    def change_quantity(self, request: Request, body: Json) -> Json:
        """Set the quantity of a variant in your cart."""
        return self.carts.update_quantity(user_id=request.actor.user_id, **body)

    @route("PUT", "/api/carts/address", who=USER, body=CartAddressChange, answer=Cart)
    def set_cart_address(self, request: Request, body: Json) -> Json:
        """Say where your cart is to go, for the estimate of tax and shipping."""
        return self.carts.set_address(user_id=request.actor.user_id, **body)

    @route("GET", "/api/carts/shipping", who=USER, answer=ShippingQuotes)
    def get_shipping_quotes(self, request: Request) -> Json:
        """The shipping methods that carry your cart to your address, the cheapest first.

        An order names the `code` of one of them, or is shipped by the first. Without any, these
        goods can't be ordered to this address, unless the shop has no methods in their currency.
        """
        return self.carts.shipping(user_id=request.actor.user_id)
