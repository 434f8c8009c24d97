"""From sign-up to refund with the client that openapi-python-client makes.

`walk.py URL STAFF_TOKEN EMAIL`. Checked by mypy in strict mode and run; `shop_client` is the
generated package.
"""

import sys

from shop_client import AuthenticatedClient, Client
from shop_client.api.orders import get_order, place_order
from shop_client.api.payments import pay_order, refund_payment
from shop_client.api.products import list_products
from shop_client.api.users import log_in, sign_up
from shop_client.models import (
    Login,
    Method,
    MethodType,
    NewPayment,
    Order,
    OrderItem,
    OrderPaymentStatus,
    Payment,
    PaymentStatus,
    PlaceOrder,
    PostalAddress,
    Problem,
    ProductPage,
    Refund,
    SignUp,
    Tokens,
    User,
)

ADDRESS = {"line1": "1 Main Street", "city": "Utrecht", "postal_code": "3511 AB", "country": "NL"}


def walk(url: str, staff_token: str, email: str) -> None:
    """Fails by an AssertionError when an answer is not what the description promises."""
    password = "a long enough password 4 walks"
    nobody = Client(base_url=url)
    user = sign_up.sync(client=nobody, body=SignUp(email=email, password=password))
    assert isinstance(user, User), user
    refused = log_in.sync(client=nobody, body=Login(email=email, password="another one"))
    assert isinstance(refused, Problem), refused
    assert refused.code == "bad_credentials", refused
    tokens = log_in.sync(client=nobody, body=Login(email=email, password=password))
    assert isinstance(tokens, Tokens), tokens
    buyer = AuthenticatedClient(base_url=url, token=tokens.access_token)
    page = list_products.sync(client=nobody, in_stock=True, limit=1)
    assert isinstance(page, ProductPage), page
    order = place_order.sync(
        client=buyer,
        body=PlaceOrder(
            items=[OrderItem(product_id=page.items[0].id, quantity=1)],
            shipping_address=PostalAddress.from_dict(ADDRESS),
        ),
        idempotency_key=f"walk-{email}",
    )
    assert isinstance(order, Order), order
    method = Method(type_=MethodType.CARD, token="tok_visa")
    payment = pay_order.sync(client=buyer, body=NewPayment(order_id=order.id, method=method))
    assert isinstance(payment, Payment), payment
    assert payment.status == PaymentStatus.SUCCEEDED, payment
    staff = AuthenticatedClient(base_url=url, token=staff_token)
    refunded = refund_payment.sync(payment.id, client=staff, body=Refund(reason="came back"))
    assert isinstance(refunded, Payment), refunded
    assert refunded.refunded == order.total, refunded
    after = get_order.sync(order.id, client=buyer)
    assert isinstance(after, Order), after
    assert after.payment_status in (OrderPaymentStatus.REFUNDED, OrderPaymentStatus.PAID), after


if __name__ == "__main__":
    walk(*sys.argv[1:])
