"""What several requests have in common."""

from chassis.fields import Request, Uuid
from users.fields import Network


class Located(Request):
    """`network` is where the one who asks is; None among services."""

    network = Network()


class Get(Request):
    user_id = Uuid(required=True)
