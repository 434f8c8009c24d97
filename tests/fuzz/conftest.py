"""A shop to be fuzzed: accounts of its own, and things for them to find."""

from types import SimpleNamespace

import pytest

from payments.providers.simulator.scripts import TOKENS
from tests.e2e.client import ADDRESS, Client
from tests.e2e.shop import running


@pytest.fixture(scope="module")
def shop(vhost, databases, tmp_path_factory):
    """All services; tokens hold for a long run, and rate limits are out of reach."""
    with running(
        vhost,
        databases,
        tmp_path_factory.mktemp("outbox"),
        users={"access_token_seconds": 3600},
        web={"rate_limits": {name: {"quota": 10**9} for name in ("default", "writes", "sign-in")}},
    ) as shop:
        yield shop


@pytest.fixture(scope="module")
def people(shop):
    """Who sends the requests, by role: accounts that nothing else uses."""
    return {
        "nobody": Client(shop.url),
        "customer": shop.customer(),
        "staff": shop.employee("staff"),
        "admin": shop.employee("admin"),
    }


@pytest.fixture(scope="module")
def things(shop, people):
    """What random values would never hit, by the names that it has in requests: `.known`. The
    accounts in `.spared` send the requests, so that nobody may change them."""
    customer = people["customer"]
    fits = [{"name": "Fit", "values": ["slim", "wide"]}]
    products = [shop.product(options=fits) for _ in range(3)]
    orders = [shop.order(customer, product) for product in products * 2]
    payments = [shop.pay(customer, order) for order in orders[:3]]
    message = {"channel": "in_app", "subject": "Hello", "body": "Is it you?"}
    message = shop.admin.post(
        "/api/notifications/send", message | {"user_id": customer.user_id}, 201
    )
    members = [{"country": ADDRESS["country"]}]
    zone = shop.admin.post("/api/shipping-zones", {"name": "Home", "members": members}, 201)
    # One that nobody has to choose: orders are found as in a shop without any.
    method = {"zone_id": zone["id"], "code": "standard", "name": "Parcel", "price": "4.95"}
    method = shop.admin.post("/api/shipping-methods", method | {"active": False}, 201)
    vat = {"country": "AQ", "rate": "21", "label": "VAT", "tax_class": "fuzz"}
    return SimpleNamespace(
        known={
            "address_id": [customer.post("/api/users/addresses", ADDRESS, 201)["id"]],
            "category_id": [shop.admin.post("/api/categories", {"name": "Chairs"}, 201)["id"]],
            "id": [message["id"], customer.user_id],
            "method_id": [method["id"]],
            "option_id": [product["options"][0]["id"] for product in products],
            "order_id": [order["id"] for order in orders],
            "payment_id": [payment["id"] for payment in payments],
            "product_id": [product["id"] for product in products],
            "variant_id": [product["id"] for product in products],
            "tax_rate_id": [shop.admin.post("/api/tax-rates", vat, 201)["id"]],
            "token": list(TOKENS),
            "zone_id": [zone["id"]],
            "user_id": [shop.customer().user_id for _ in range(3)],
        },
        spared=[person.user_id for person in people.values() if person.user_id],
    )
