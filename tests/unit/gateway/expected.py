"""What each route promises, written down a second time from the REST contract and the errors of the
services: who may call it, and what it may answer besides success.

A route that is not in here, or that says otherwise, fails the tests. Left out is what any request
may get (422, 429, 500, and what is described as 4XX and 5XX).
"""

from gateway.access import ADMIN, ANYONE, ENROLLING, STAFF, USER
from gateway.service import GatewayService
from gateway.service_health import services_behind

EXPECTED = {
    # Users. What a deleted customer's token asks for is not there any more.
    "POST /api/users/signup": (ANYONE, {409}),
    "POST /api/users/login": (ANYONE, {401}),
    "POST /api/users/token/refresh": (ANYONE, {401}),
    "POST /api/users/logout": (ANYONE, set()),
    "POST /api/users/password": (USER, {401, 404}),
    "POST /api/users/password/forgot": (ANYONE, set()),
    "POST /api/users/password/reset": (ANYONE, set()),
    "POST /api/users/email/verify": (ANYONE, {409}),
    "POST /api/users/email/verification": (USER, {401, 404, 409}),
    "GET /api/users/profile": (ENROLLING, {304, 401, 404}),
    "PUT /api/users/profile": (USER, {401, 404, 409, 412}),
    "PATCH /api/users/profile": (USER, {401, 404, 409, 412}),
    "GET /api/users/addresses": (USER, {401}),
    "POST /api/users/addresses": (USER, {401, 404, 409}),
    "GET /api/users/addresses/{address_id}": (USER, {304, 401, 404}),
    "PUT /api/users/addresses/{address_id}": (USER, {401, 404, 412}),
    "DELETE /api/users/addresses/{address_id}": (USER, {401, 404}),
    "GET /api/users": (STAFF, {401, 403}),
    "POST /api/users/login/totp": (ANYONE, {401}),
    "GET /api/users/totp": (ENROLLING, {401, 404}),
    "POST /api/users/totp": (ENROLLING, {401, 404, 409}),
    "POST /api/users/totp/confirm": (ENROLLING, {401, 404, 409}),
    "POST /api/users/totp/disable": (USER, {401, 404, 409}),
    "POST /api/users/totp/recovery-codes": (USER, {401, 404, 409}),
    "GET /api/users/sessions": (USER, {401}),
    "DELETE /api/users/sessions": (USER, {401}),
    "DELETE /api/users/sessions/{session_id}": (USER, {401, 404}),
    "GET /api/users/sign-ins": (USER, {401}),
    "DELETE /api/users/{user_id}/sessions": (ADMIN, {401, 403, 404}),
    "GET /api/audit": (ADMIN, {401, 403}),
    "POST /api/users": (ADMIN, {401, 403, 409}),
    "GET /api/users/{user_id}": (ADMIN, {304, 401, 403, 404}),
    "PUT /api/users/{user_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "PATCH /api/users/{user_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/users/{user_id}": (ADMIN, {401, 403, 404, 409}),
    "GET /.well-known/jwks.json": (ANYONE, set()),
    # Catalog and inventory
    "GET /api/products": (ANYONE, set()),
    "POST /api/products": (ADMIN, {401, 403, 409}),
    "GET /api/products/{product_id}": (ANYONE, {304, 404}),
    "PUT /api/products/{product_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "PATCH /api/products/{product_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/products/{product_id}": (ADMIN, {401, 403, 404, 412}),
    "POST /api/products/{product_id}/variants": (ADMIN, {401, 403, 404, 409}),
    "GET /api/variants/{variant_id}": (ANYONE, {304, 404}),
    "PATCH /api/variants/{variant_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/variants/{variant_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "PATCH /api/products/{product_id}/options/{option_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/products/{product_id}/options/{option_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "GET /api/categories": (ANYONE, set()),
    "POST /api/categories": (ADMIN, {401, 403, 409}),
    "GET /api/categories/{category_id}": (ANYONE, {304, 404}),
    "PUT /api/categories/{category_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/categories/{category_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "GET /api/inventory/{variant_id}": (STAFF, {304, 401, 403, 404}),
    "PATCH /api/inventory/{variant_id}": (STAFF, {401, 403, 404, 409, 412}),
    "GET /api/inventory/{variant_id}/movements": (STAFF, {401, 403, 404}),
    "POST /api/inventory/check": (ANYONE, set()),
    # Carts and orders. Whose they are is checked by the services, and so is who may give an order
    # another status (403).
    "GET /api/carts": (USER, {401}),
    "DELETE /api/carts": (USER, {401}),
    "POST /api/carts/add_item": (USER, {401}),
    "POST /api/carts/remove_item": (USER, {401}),
    "GET /api/carts/shipping": (USER, {401}),
    "PUT /api/carts/address": (USER, {401}),
    "PUT /api/carts/update_quantity": (USER, {401, 404}),
    "POST /api/orders": (USER, {401, 409}),
    "GET /api/orders": (USER, {401, 403, 404}),
    "GET /api/orders/user/{user_id}": (USER, {401, 404}),
    "GET /api/orders/{order_id}": (USER, {304, 401, 404}),
    "PUT /api/orders/{order_id}": (USER, {401, 403, 404, 409, 412}),
    "PATCH /api/orders/{order_id}": (USER, {401, 403, 404, 409, 412}),
    "DELETE /api/orders/{order_id}": (ADMIN, {401, 403, 404, 409}),
    "POST /api/orders/{order_id}/cancel": (USER, {401, 404, 409}),
    "POST /api/orders/{order_id}/cancel_items": (STAFF, {401, 403, 404, 409}),
    "GET /api/orders/{order_id}/fulfilments": (USER, {401, 404}),
    "POST /api/orders/{order_id}/fulfilments": (STAFF, {401, 403, 404, 409}),
    "GET /api/fulfilments/{fulfilment_id}": (USER, {304, 401, 404}),
    "PATCH /api/fulfilments/{fulfilment_id}": (STAFF, {401, 403, 404, 409, 412}),
    "POST /api/fulfilments/{fulfilment_id}/cancel": (STAFF, {401, 403, 404, 409}),
    "GET /api/orders/{order_id}/timeline": (USER, {401, 404}),
    # Taxes
    "GET /api/tax-rates": (ADMIN, {401, 403}),
    "POST /api/tax-rates": (ADMIN, {401, 403, 404, 409}),
    "DELETE /api/tax-rates/{tax_rate_id}": (ADMIN, {401, 403, 404}),
    "GET /api/shipping-zones": (ADMIN, {401, 403}),
    "POST /api/shipping-zones": (ADMIN, {401, 403, 409}),
    "GET /api/shipping-zones/{zone_id}": (ADMIN, {304, 401, 403, 404}),
    "PATCH /api/shipping-zones/{zone_id}": (ADMIN, {401, 403, 404, 409, 412}),
    "DELETE /api/shipping-zones/{zone_id}": (ADMIN, {401, 403, 404, 412}),
    "GET /api/shipping-methods": (ADMIN, {401, 403}),
    "POST /api/shipping-methods": (ADMIN, {401, 403, 409}),
    "GET /api/shipping-methods/{method_id}": (ADMIN, {304, 401, 403, 404}),
    "PATCH /api/shipping-methods/{method_id}": (ADMIN, {401, 403, 404, 409, 412}),
    # Payments
    "POST /api/payments": (USER, {401, 404, 409, 502}),
    "GET /api/payments": (USER, {401}),
    "GET /api/payments/{payment_id}": (USER, {304, 401, 404}),
    "POST /api/payments/{payment_id}/refund": (STAFF, {401, 403, 404, 409, 502}),
    "POST /api/payments/webhooks/{provider}": (ANYONE, {404}),
    "GET /api/payments/stripe/success": (ANYONE, {404, 502}),
    "GET /api/payments/stripe/fail": (ANYONE, {404, 502}),
    # Checkouts under way
    "GET /api/admin/checkouts": (STAFF, {401, 403}),
    "POST /api/admin/checkouts/{order_id}/retry": (STAFF, {401, 403, 404, 409}),
    "POST /api/admin/checkouts/{order_id}/undo": (STAFF, {401, 403, 404, 409}),
    # Notifications
    "POST /api/notifications/send": (STAFF, {401, 403, 404}),
    "GET /api/notifications": (USER, {401}),
    "GET /api/notifications/stream": (USER, {401}),
    "GET /api/notifications/{id}": (USER, {401, 404}),
    "PATCH /api/notifications/{id}": (USER, {401, 404}),
    # The rest
    "GET /livez": (ANYONE, set()),
    "GET /readyz": (ANYONE, set()),
    **{
        f"GET /api/{service}/health": (ANYONE, set()) for service in services_behind(GatewayService)
    },
    "GET /api/openapi.json": (ANYONE, {304}),
    "GET /api/docs": (ANYONE, {304}),
    "GET /api/docs/{file}": (ANYONE, {304}),
}

WHO = {route: who for route, (who, _) in EXPECTED.items()}
REFUSALS = {route: refusals for route, (_, refusals) in EXPECTED.items()}
