"""Errors of orders; `contracts.payments.errors.AlreadyPaid` and
`contracts.products.errors.ChooseVariant` are others.

chassis.errors.Fault
 ├── Invalid
 │    ├── MixedCurrencies     422  an order has one currency; `data["lines"]` names each line's
 │    ├── AddressNeeded       422  nobody knows where the cart goes to
 │    ├── NoShipping          422  nothing carries these goods to this address
 │    └── UnknownShippingMethod  422  not one that carries these goods there; `data["methods"]`
 ├── NotFound
 │    ├── ShippingZoneNotFound   404
 │    └── ShippingMethodNotFound 404
 ├── Conflict
 │    ├── PriceChanged        409  a price is not the one that was shown; `data["lines"]`
 │    ├── CartChanged         409  the cart is not the one that was shown
 │    ├── InvalidTransition   409  the order's state does not lead there
 │    ├── AddressChangesPrice 409  shipping or tax is another there; order anew
 │    ├── NothingLeftToShip   409  more units than are left to be shipped; `data["lines"]`
 │    ├── NothingToPay        409  the order costs nothing; it is paid without a payment
 │    ├── PaymentInProgress   409  money has come and is being booked; ask again in a moment
 │    ├── TooManyOpenOrders   409  pay or cancel some first
 │    ├── TooManyUnpaidUnits  409  of a product; pay or cancel first, or take fewer
 │    ├── TaxRateOverlaps     409  another rate holds there at that time
 │    ├── CheckoutInTime      409  a checkout that its buyer may be at is not to be retried
 │    ├── PaymentCaptured     409  a checkout whose money has come is not to be undone
 │    ├── ZonesOverlap        409  an address would be in two zones; `data["members"]`
 │    ├── TooManyZoneMembers  409  of one country, in all zones together
 │    ├── TooManyShippingMethods 409  of one zone
 │    └── TooManyShippingZones 409  of the shop
 └── Unavailable
      └── CheckoutInterrupted 503  the checkout was undone half-way; nothing is held, try again
"""

from chassis.errors import Conflict, Invalid, NotFound, Unavailable


class MixedCurrencies(Invalid):
    """Products of several currencies are no order; `data["lines"]`: [{variant_id, product_id,
    currency}]."""

    code = "mixed_currencies"
    title = "These products have several currencies; order those of each by themselves"


class PriceChanged(Conflict):
    """A price differs from the one the buyer saw.

    `data["lines"]`: [{variant_id, product_id, sent, current}], with the totals instead when only
    those differ; `sent_currency` and `current_currency` beside them when it is another currency.
    """

    code = "price_changed"
    title = "A price has changed"


class CartChanged(Conflict):
    """The cart is not the one the buyer saw."""

    code = "cart_changed"
    title = "The cart has changed"


class InvalidTransition(Conflict):
    """The state of the order does not lead there; `data`: `order_status`, `payment_status`."""

    code = "invalid_transition"
    title = "The order's state does not allow this"


class AddressChangesPrice(Conflict):
    """The order would come to something else at this address."""

    code = "address_changes_price"
    title = "Shipping or tax is another at this address: cancel this order, and order to there"


class NothingLeftToShip(Conflict):
    """More units are asked for than are left: not shipped, being packed, or cancelled.

    `data["lines"]`: [{line, requested, left}].
    """

    code = "nothing_left_to_ship"
    title = "There are not so many units left to be shipped"


class NothingToPay(Conflict):
    """The order costs nothing: it is paid without a payment."""

    code = "nothing_to_pay"
    title = "This order costs nothing"


class PaymentInProgress(Conflict):
    """Money for the order has come and is being booked."""

    code = "payment_in_progress"
    title = "A payment is being booked; ask again in a moment"


class TooManyOpenOrders(Conflict):
    """The buyer holds stock with too many unpaid orders; `data["limit"]`."""

    code = "too_many_open_orders"
    title = "Pay or cancel some of your open orders first"


class TooManyUnpaidUnits(Conflict):
    """With this order the buyer would hold too much of a variant without having paid for it.

    `data["lines"]`: [{variant_id, product_id, requested, unpaid, limit}], all that are over their
    limit; `unpaid` is what the buyer's open orders hold already.
    """

    code = "too_many_unpaid_units"
    title = "Take fewer, or pay or cancel your open orders first"


class TaxRateOverlaps(Conflict):
    """Of a tax class, one rate holds in a place at any moment."""

    code = "tax_rate_overlaps"
    title = "Another rate of this tax class holds there at that time; end that one first"


class CheckoutInTime(Conflict):
    """The checkout has not taken longer than it may: its buyer may be at it."""

    code = "checkout_in_time"
    title = "This checkout is still in its time"


class PaymentCaptured(Conflict):
    """Money for the order has come; it is to be finished, or cancelled and refunded."""

    code = "payment_captured"
    title = "The money has come; retry this checkout, or cancel its order"


class CheckoutInterrupted(Unavailable):
    """The checkout was undone before it was through; nothing is held."""

    code = "checkout_interrupted"
    title = "The checkout was interrupted; try again"


class AddressNeeded(Invalid):
    """Nobody knows where the cart goes to."""

    code = "address_needed"
    title = "Give the cart an address, or save one as your default"


class NoShipping(Invalid):
    """No shipping method carries these goods to this address in this currency."""

    code = "no_shipping"
    title = "This shop has no shipping method for these goods to this address"


class UnknownShippingMethod(Invalid):
    """Not one that carries these goods to this address; `data["methods"]`: those that do."""

    code = "unknown_shipping_method"
    title = "This shipping method is not available for this order"


class ShippingZoneNotFound(NotFound):
    """There is no such zone."""

    code = "shipping_zone_not_found"
    title = "There is no such shipping zone"


class ShippingMethodNotFound(NotFound):
    """There is no such method."""

    code = "shipping_method_not_found"
    title = "There is no such shipping method"


class ZonesOverlap(Conflict):
    """Addresses would be in two zones; `data["members"]`: [{zone_id, country, region, postal_from,
    postal_to}], those of other zones that are in the way."""

    code = "zones_overlap"
    title = "Another zone has these addresses already"


class TooManyZoneMembers(Conflict):
    """Of one country; `data["limit"]`."""

    code = "too_many_zone_members"
    title = "Zones have too many parts of this country"


class TooManyShippingZones(Conflict):
    """`data["limit"]`."""

    code = "too_many_shipping_zones"
    title = "The shop has too many shipping zones"


class TooManyShippingMethods(Conflict):
    """Of one zone; `data["limit"]`."""

    code = "too_many_shipping_methods"
    title = "This zone has too many shipping methods"
