"""What carts is asked."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from chassis import countries
from chassis.fields import Country, Quantity, Request, SingleLine, Uuid
from contracts.orders.fields import MAX_QUANTITY
from contracts.products.fields import NamesVariant


class OneCart(Request):
    """get, clear, shipping: a user's cart."""

    user_id = Uuid(required=True)


class CartItem(OneCart, NamesVariant):
    """add_item, update_quantity: so many of a variant."""

    quantity = Quantity(required=True, max=MAX_QUANTITY)


class RemoveItem(OneCart, NamesVariant):
    """remove_item: a variant; all of it unless `quantity` says how many."""

    quantity = Quantity(max=MAX_QUANTITY, load_default=None, allow_none=True)


class SetAddress(OneCart):
    """set_address: where the cart is to go, for the estimate of tax and shipping."""

    country = Country(required=True)
    region = SingleLine(max=100, load_default=None, allow_none=True)
    postal_code = SingleLine(max=20, load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_of_its_country(self, data: dict[str, Any], **kwargs: Any) -> None:
        faults = countries.faults_in(data)  # among them what is missing, which may be
        if data.get("postal_code") and "postal_code" in faults:
            raise ValidationError(faults["postal_code"], "postal_code")
