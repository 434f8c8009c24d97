"""The Nameko service `gateway`."""

from chassis.rpc import RpcProxy
from chassis.service import Service
from contracts.carts.interface import Carts
from contracts.inventory.interface import Inventory
from contracts.notifications.interface import Notifications
from contracts.orders.interface import Orders
from contracts.payments.interface import Payments
from contracts.products.interface import Products
from contracts.users.interface import Users
from gateway.access import AccessTokens
from gateway.catalog_cache import CatalogCache
from gateway.live import Live
from gateway.manual import Library
from gateway.readiness import Peers
from gateway.routes import (
    audit,
    carts,
    checkouts,
    docs,
    inventory,
    notifications,
    orders,
    payments,
    platform,
    products,
    sessions,
    totp,
    users,
)
from gateway.sessions import Sessions


class GatewayService(
    users.UserRoutes,
    users.AddressRoutes,
    users.AccountRoutes,
    sessions.SessionRoutes,
    totp.TotpRoutes,
    audit.AuditRoutes,
    products.ProductRoutes,
    products.CategoryRoutes,
    inventory.InventoryRoutes,
    carts.CartRoutes,
    orders.OrderRoutes,
    checkouts.CheckoutRoutes,
    payments.PaymentRoutes,
    notifications.NotificationRoutes,
    platform.PlatformRoutes,
    docs.DocsRoutes,
    Service,
):
    """REST at the door, RPC behind it; holds no data."""

    name = "gateway"

    tokens = AccessTokens()
    sessions = Sessions()
    peers = Peers()
    live = Live()
    catalog_cache = CatalogCache()
    manual = Library()
    users: Users = RpcProxy("users", timeout=8)
    products: Products = RpcProxy("products", timeout=5)
    inventory: Inventory = RpcProxy("inventory", timeout=5)
    carts: Carts = RpcProxy("carts", timeout=8)
    orders: Orders = RpcProxy("orders", timeout=14)
    payments: Payments = RpcProxy("payments", timeout=14)
    notifications: Notifications = RpcProxy("notifications", timeout=5)
