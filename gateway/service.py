"""The Nameko service `gateway`."""

from chassis.service import Service
from gateway.access import AccessTokens
from gateway.api_docs import ApiDocs
from gateway.catalog_cache import CatalogCache
from gateway.notification_streams import NotificationStreams
from gateway.routes import routes_classes
from gateway.service_health import ServiceHealth
from gateway.sessions import Sessions


class GatewayService(*routes_classes(), Service):  # type: ignore[misc]
    """REST at the door, RPC behind it; holds no data."""

    name = "gateway"

    tokens = AccessTokens()
    sessions = Sessions()
    service_health = ServiceHealth()
    notification_streams = NotificationStreams()
    catalog_cache = CatalogCache()
    api_docs = ApiDocs()
