"""What carts is asked."""

from chassis.fields import Quantity, Request, Uuid
from contracts.orders.fields import MAX_QUANTITY, NamesVariant


class OneCart(Request):
    """get, clear, shipping: a user's cart."""

    user_id = Uuid(required=True)


class CartItem(OneCart, NamesVariant):
    """add_item, update_quantity: so many of a variant."""

    quantity = Quantity(required=True, max=MAX_QUANTITY)


class RemoveItem(OneCart, NamesVariant):
    """remove_item: a variant; all of it unless `quantity` says how many."""

    quantity = Quantity(max=MAX_QUANTITY, load_default=None, allow_none=True)
