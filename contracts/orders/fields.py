"""The bounds of an order."""

from decimal import Decimal

from chassis.fields import MAX_MONEY

#: Most of one product, and most different products, in a cart or order.
MAX_QUANTITY = 1000
MAX_LINES = 100

#: Largest total that the books can hold.
MAX_TOTAL: Decimal = MAX_MONEY
