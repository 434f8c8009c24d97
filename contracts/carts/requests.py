"""What carts is asked."""

from chassis.fields import Id, Quantity, Request, Uuid
from contracts.orders.fields import MAX_QUANTITY


class OneCart(Request):
    """get, clear, shipping: a user's cart."""

    user_id = Uuid(required=True)


class CartItem(OneCart):
    """add_item, update_quantity: so many of a product."""

    product_id = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)


class RemoveItem(OneCart):
    """remove_item: a product; all of it unless `quantity` says how many."""

    product_id = Id(required=True)
    quantity = Quantity(max=MAX_QUANTITY, load_default=None, allow_none=True)
