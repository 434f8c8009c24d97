"""The bounds of an order."""

from decimal import Decimal

from chassis.fields import MAX_MONEY

#: Most of one product in a cart or order.
MAX_QUANTITY = 1000

#: Largest total that the books can hold.
MAX_TOTAL: Decimal = MAX_MONEY
