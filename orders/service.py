"""The Nameko services `carts` and `orders`."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from chassis.clock import Clock, Now
from chassis.config import Settings
from chassis.database import Database, Handle
from chassis.events import EventOutbox, event_handler
from chassis.events.outbox import Recorder
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.metrics.custom import DatabaseGauges
from chassis.origin import Network
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from chassis.staff import require_admin
from chassis.timers import timer
from chassis.trace import TraceId
from contracts.carts import requests as cart_requests
from contracts.carts.answers import Cart
from contracts.inventory.errors import OutOfStock, ReservationReleased
from contracts.inventory.events import StockLost
from contracts.inventory.interface import Inventory
from contracts.orders import answers, requests, shipping
from contracts.orders.events import EVENTS
from contracts.payments.answers import KeyedPayment
from contracts.payments.events import (
    PaymentCancelled,
    PaymentFailed,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)
from contracts.payments.interface import Payments
from contracts.products.interface import Products
from contracts.users.events import UserEvent
from contracts.users.interface import Users
from orders import event_handlers, jobs, metrics, models
from orders.cancellation import commands as cancellation_commands
from orders.cart import commands as cart_commands
from orders.cart import queries as cart_queries
from orders.cart import shipping as cart_shipping
from orders.cart.commands import Named
from orders.checkout import admin as checkout_admin
from orders.checkout import commands as checkout_commands
from orders.checkout import queries as checkout_queries
from orders.fulfilments import commands as fulfilment_commands
from orders.fulfilments import queries as fulfilment_queries
from orders.order import commands as order_commands
from orders.order import queries as order_queries
from orders.order import timeline
from orders.payment import commands as payment_commands
from orders.payment import finishing
from orders.payment.refunds import Payment
from orders.settings import OrdersSettings
from orders.shipping import commands as shipping_commands
from orders.shipping import queries as shipping_queries
from orders.taxes import commands as tax_commands
from orders.taxes import queries as tax_queries


class CartsService(Service):
    """One cart per user; every method answers with the cart."""

    name = "carts"

    db: Handle = Database(models.Base, package="orders")
    clock: Now = Clock()
    settings: Mapping[str, Any] = Settings(OrdersSettings, section="orders")
    products: Products = RpcProxy("products", timeout=3)
    users: Users = RpcProxy("users", timeout=3)

    @rpc(cart_requests.OneCart, Cart)
    def get(self, user_id: UUID) -> Json:
        """The cart, with the products as they are now."""
        return cart_queries.show(self, user_id)

    @rpc(cart_requests.CartItem, Cart, once=True)
    def add_item(self, user_id: UUID, quantity: int, **named: int) -> Json:
        """Put so many of a variant in, beside what is there of it."""
        return cart_commands.add(self, user_id, Named(**named), quantity)

    @rpc(cart_requests.CartItem, Cart)
    def update_quantity(self, user_id: UUID, quantity: int, **named: int) -> Json:
        """So many of a variant that is in the cart."""
        return cart_commands.set_quantity(self, user_id, Named(**named), quantity)

    @rpc(cart_requests.RemoveItem, Cart, once=True)
    def remove_item(self, user_id: UUID, quantity: int | None, **named: int) -> Json:
        """Take a variant out, or `quantity` of it."""
        return cart_commands.remove(self, user_id, Named(**named), quantity)

    @rpc(cart_requests.OneCart, Cart)
    def clear(self, user_id: UUID) -> Json:
        """Take everything out."""
        return cart_commands.clear(self, user_id)

    @rpc(cart_requests.SetAddress, Cart, sensitive_arguments=("region", "postal_code"))
    def set_address(
        self, user_id: UUID, country: str, region: str | None, postal_code: str | None
    ) -> Json:
        """Where the cart is to go, for the estimate of tax and shipping."""
        return cart_commands.set_address(self, user_id, country, region, postal_code)

    @rpc(cart_requests.OneCart, shipping.ShippingQuotes)
    def shipping(self, user_id: UUID) -> Json:
        """The shipping methods that carry the cart, and what each costs."""
        return cart_shipping.quotes(self, user_id)


class OrdersService(Service):
    """Checkout, payment, and the life of orders."""

    name = "orders"

    db: Handle = Database(models.Base, package="orders")
    events: Recorder = EventOutbox(EVENTS)
    clock: Now = Clock()
    settings: Mapping[str, Any] = Settings(OrdersSettings, section="orders")
    gauges = DatabaseGauges(metrics.CHECKOUTS)
    trace_id: str | None = TraceId()
    network: str | None = Network()
    products: Products = RpcProxy("products", timeout=3)
    users: Users = RpcProxy("users", timeout=3)
    inventory: Inventory = RpcProxy(
        "inventory", timeout=5, errors=(OutOfStock, ReservationReleased)
    )
    payments: Payments = RpcProxy("payments", timeout=12)

    @rpc(
        requests.Place,
        answers.KeyedOrder,
        once=True,
        sensitive_arguments="request.shipping_address",
    )
    def place(self, **request: Any) -> Json:
        """An order from items or from the cart; a repeat under `key` gets the first one."""
        return checkout_commands.place(self, **request)

    @rpc(requests.Pay, KeyedPayment, sensitive_arguments="method")
    def pay(self, order_id: UUID, method: dict[str, str], key: str | None, actor: Actor) -> Json:
        """Charge an order and finish it; the payment."""
        return payment_commands.pay(self, order_id, method, key, actor)

    @rpc(requests.OneOrder, answers.Order)
    def get(self, order_id: UUID, actor: Actor) -> Json:
        """One order, for its owner or staff."""
        with self.db.autocommit() as connection:
            return order_queries.get(connection, order_id, actor)

    @rpc(requests.ListOrders, answers.OrderPage)
    def list(self, **request: Any) -> Json:
        """Orders, newest first: one's own, for staff everybody's."""
        return order_queries.find(self, **request)

    @rpc(requests.Update, answers.Order, sensitive_arguments="request.shipping_address")
    def update(self, **request: Any) -> Json:
        """Another address while pending, or (staff) the next status."""
        return order_commands.update(self, **request)

    @rpc(requests.Cancel, answers.Order)
    def cancel(self, order_id: UUID, reason: str | None, actor: Actor) -> Json:
        """Cancel an order that is not shipped; stock and money go back."""
        return order_commands.cancel(self, order_id, reason, actor)

    @rpc(requests.OneOrder)
    def hide(self, order_id: UUID, actor: Actor) -> None:
        """Take a finished order out of sight (admin)."""
        order_commands.hide(self, order_id, actor)

    @rpc(requests.OneOrder, answers.Timeline)
    def timeline(self, order_id: UUID, actor: Actor) -> Json:
        """What happened to an order, when, why and by whom."""
        with self.db.autocommit() as connection:
            order_queries.get(connection, order_id, actor)
            return {"items": timeline.of_order(connection, order_id)}

    @rpc(requests.Fulfil, answers.KeyedFulfilment, once=True)
    def fulfil(self, **request: Any) -> Json:
        """A parcel of an order, packed or on its way (staff); a repeat gets the first one."""
        return fulfilment_commands.fulfil(self, **request)

    @rpc(requests.OneFulfilment, answers.Fulfilment)
    def get_fulfilment(self, fulfilment_id: UUID, actor: Actor) -> Json:
        """One parcel, for the owner of its order or staff."""
        with self.db.autocommit() as connection:
            return fulfilment_queries.get(connection, fulfilment_id, actor)

    @rpc(requests.ListFulfilments, answers.FulfilmentPage)
    def list_fulfilments(self, **request: Any) -> Json:
        """The parcels of an order, oldest first, for its owner or staff."""
        with self.db.autocommit() as connection:
            return fulfilment_queries.page(connection, **request)

    @rpc(requests.UpdateFulfilment, answers.Fulfilment)
    def update_fulfilment(self, **request: Any) -> Json:
        """Say how a parcel travels, that it has left, or that it has arrived (staff)."""
        return fulfilment_commands.update(self, **request)

    @rpc(requests.OneFulfilment, answers.Fulfilment)
    def cancel_fulfilment(self, fulfilment_id: UUID, actor: Actor) -> Json:
        """Take a parcel that has not left apart (staff)."""
        return fulfilment_commands.cancel(self, fulfilment_id, actor)

    @rpc(requests.CancelItems, answers.KeyedOrder, once=True)
    def cancel_items(self, **request: Any) -> Json:
        """Cancel units that are not shipped; their money goes back (staff)."""
        return cancellation_commands.cancel_items(self, **request)

    @rpc(requests.ListCheckouts, answers.CheckoutPage)
    def list_checkouts(self, **request: Any) -> Json:
        """Checkouts under way, or stuck, the oldest first (staff)."""
        return checkout_queries.page(self, **request)

    @rpc(requests.OneOrder, answers.CheckoutOutcome)
    def retry_checkout(self, order_id: UUID, actor: Actor) -> Json:
        """Take the next step of a checkout now (staff)."""
        return checkout_admin.retry(self, order_id, actor)

    @rpc(requests.OneOrder, answers.CheckoutOutcome)
    def undo_checkout(self, order_id: UUID, actor: Actor) -> Json:
        """Give a checkout up (staff)."""
        return checkout_admin.undo(self, order_id, actor)

    @rpc(requests.CreateTaxRate, answers.KeyedTaxRate)
    def create_tax_rate(self, **request: Any) -> Json:
        """Set a tax rate of a place (admin); a repeat under `key` gets the first one."""
        return tax_commands.create(self, **request)

    @rpc(requests.ListTaxRates, answers.TaxRatePage)
    def list_tax_rates(self, **request: Any) -> Json:
        """Tax rates, newest first (admin)."""
        return tax_queries.page(self, **request)

    @rpc(requests.EndTaxRate)
    def end_tax_rate(self, tax_rate_id: UUID, valid_until: datetime | None, actor: Actor) -> None:
        """Let a tax rate end, now or at a later moment (admin)."""
        tax_commands.end(self, tax_rate_id, valid_until, actor)

    @rpc(shipping.ListZones, shipping.ShippingZonePage)
    def list_shipping_zones(self, limit: int, cursor: str | None, actor: Actor) -> Json:
        """Shipping zones, by name (admin)."""
        require_admin(actor)
        with self.db.autocommit() as connection:
            return shipping_queries.zones(connection, limit, cursor)

    @rpc(shipping.OneZone, shipping.ShippingZone)
    def get_shipping_zone(self, zone_id: UUID, actor: Actor) -> Json:
        """One shipping zone (admin)."""
        require_admin(actor)
        with self.db.autocommit() as connection:
            return shipping_queries.zone(connection, zone_id)

    @rpc(shipping.CreateZone, shipping.KeyedShippingZone)
    def create_shipping_zone(self, actor: Actor, **request: Any) -> Json:
        """Add a shipping zone (admin)."""
        return shipping_commands.create_zone(self, actor, **request)

    @rpc(shipping.UpdateZone, shipping.ShippingZone)
    def update_shipping_zone(self, actor: Actor, **request: Any) -> Json:
        """Change a shipping zone (admin)."""
        return shipping_commands.update_zone(self, actor, **request)

    @rpc(shipping.DeleteZone)
    def delete_shipping_zone(self, zone_id: UUID, version: int | None, actor: Actor) -> None:
        """Delete a shipping zone with its methods (admin)."""
        shipping_commands.delete_zone(self, actor, zone_id, version)

    @rpc(shipping.ListMethods, shipping.ShippingMethodPage)
    def list_shipping_methods(
        self, zone_id: UUID | None, limit: int, cursor: str | None, actor: Actor
    ) -> Json:
        """Shipping methods, by code (admin)."""
        require_admin(actor)
        with self.db.autocommit() as connection:
            return shipping_queries.methods(connection, zone_id, limit, cursor)

    @rpc(shipping.OneMethod, shipping.ShippingMethod)
    def get_shipping_method(self, method_id: UUID, actor: Actor) -> Json:
        """One shipping method (admin)."""
        require_admin(actor)
        with self.db.autocommit() as connection:
            return shipping_queries.method(connection, method_id)

    @rpc(shipping.CreateMethod, shipping.KeyedShippingMethod)
    def create_shipping_method(self, actor: Actor, **request: Any) -> Json:
        """Add a shipping method to a zone (admin)."""
        return shipping_commands.create_method(self, actor, **request)

    @rpc(shipping.UpdateMethod, shipping.ShippingMethod)
    def update_shipping_method(self, actor: Actor, **request: Any) -> Json:
        """Change a shipping method (admin)."""
        return shipping_commands.update_method(self, actor, **request)

    @event_handler("payments", "payment_succeeded", PaymentSucceeded)
    def on_payment_succeeded(self, event: Event) -> None:
        """Finish the order, unless `pay` already has."""
        payment = Payment.of_event(event.payload)
        finishing.finish(self, payment, begin=partial(self.db.once, event))

    @event_handler("payments", "payment_failed", PaymentFailed)
    def on_payment_failed(self, event: Event) -> None:
        """Note in the timeline that a payment did not go through."""
        with self.db.once(event) as session:
            event_handlers.payment_failed(self, session, event.payload)

    @event_handler("payments", "payment_cancelled", PaymentCancelled)
    def on_payment_cancelled(self, event: Event) -> None:
        """Note in the timeline that a payment was called off."""
        with self.db.once(event) as session:
            event_handlers.payment_cancelled(self, session, event.payload)

    @event_handler("payments", "payment_refunded", PaymentRefunded)
    def on_payment_refunded(self, event: Event) -> None:
        """Show what became of the money."""
        with self.db.once(event) as session:
            event_handlers.payment_refunded(self, session, event.payload)

    @event_handler("payments", "refund_failed", RefundFailed)
    def on_refund_failed(self, event: Event) -> None:
        """Have money that could not be given back be asked for by what comes later."""
        with self.db.once(event) as session:
            event_handlers.refund_failed(self, session, event.payload)

    @event_handler("inventory", "stock_lost", StockLost)
    def on_stock_lost(self, event: Event) -> None:
        """Cancel a paid order whose stock is gone."""
        with self.db.once(event) as session:
            event_handlers.stock_lost(self, session, event.payload)

    @event_handler("users", "account_recovered", UserEvent)
    def on_account_recovered(self, event: Event) -> None:
        """Forget the cart, and let unpaid orders expire."""
        with self.db.once(event) as session:
            event_handlers.account_recovered(self, session, event)

    @timer(interval=2)
    def expire(self) -> None:
        """Cancel unpaid orders whose time is over."""
        jobs.expire(self)

    @timer(interval=60)
    def purge(self) -> None:
        """Delete keys that are over."""
        jobs.purge(self)

    @timer(interval=3)
    def recover(self) -> None:
        """Finish or undo what was interrupted."""
        jobs.release_checkouts(self)
        jobs.look_up_payments(self)
