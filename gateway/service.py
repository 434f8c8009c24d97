"""The Nameko service `gateway`."""

from chassis.service import Service
from gateway.access import AccessTokens
from gateway.catalog_cache import CatalogCache
from gateway.live import Live
from gateway.manual import Library
from gateway.readiness import Peers
from gateway.routes import routes_classes
from gateway.sessions import Sessions


class GatewayService(*routes_classes(), Service):
    """REST at the door, RPC behind it; holds no data."""

    name = "gateway"

    tokens = AccessTokens()
    sessions = Sessions()
    peers = Peers()
    live = Live()
    catalog_cache = CatalogCache()
    manual = Library()
