"""Where a setting demands a second factor of staff."""

import pytest

from gateway.service import GatewayService
from orders.service import OrdersService
from tests.e2e.client import PASSWORD, Client, new_email
from tests.e2e.test_second_factor import enrolled
from users.service import UsersService


@pytest.fixture
def strict(start, config, call):
    """A client of a gateway where staff need a second factor, signed in as an admin."""
    start(UsersService, OrdersService, GatewayService, users={"staff_totp_required": True})
    client = Client(f"http://{config['WEB_SERVER_ADDRESS']}")
    email = new_email()
    call.users.create(email=email, password=PASSWORD, role="admin")
    client.log_in(email)
    return client


def test_staff_without_one_can_only_enrol(strict):
    """Where it is required; afterwards they do what they always did."""
    for path in ("/api/users", "/api/orders", "/api/audit", "/api/admin/checkouts"):
        assert strict.get(path, 401)["code"] == "totp_enrolment_required"
    strict.patch("/api/users/profile", {"first_name": "Eve"}, 401)
    strict.get("/api/users/profile")
    assert strict.get("/api/users/totp")["required"]
    enrolled(strict)
    strict.get("/api/users")
    strict.get("/api/orders")
