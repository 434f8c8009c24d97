"""What carts and orders need of others' answers and events."""

from marshmallow import fields

from chassis.fields import Expected, String, Uuid
from chassis.fields import List as ListOf


class FoundUser(Expected):
    """users.find: one user."""

    id = Uuid(required=True)


class FoundUsers(Expected):
    """users.find: the newest first."""

    items = ListOf(fields.Nested(FoundUser), max=100, required=True)


class DefaultAddress(Expected):
    """users.default_address."""

    name = String(max=200, load_default=None, allow_none=True)
    company = String(max=200, load_default=None, allow_none=True)
    phone = String(max=32, load_default=None, allow_none=True)
    line1 = String(max=200, required=True)
    line2 = String(max=200, load_default=None, allow_none=True)
    city = String(max=200, load_default=None, allow_none=True)
    region = String(max=200, load_default=None, allow_none=True)
    postal_code = String(max=200, load_default=None, allow_none=True)
    country = String(max=200, required=True)


class AccountRecovered(Expected):
    """users.account_recovered: an account has another owner than who had made it."""

    user_id = Uuid(required=True)
