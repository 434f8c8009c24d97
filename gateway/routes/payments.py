"""Payments."""

from uuid import UUID

from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, Response, route
from chassis.web.limits import WEBHOOKS
from contracts.orders.interface import Orders
from contracts.payments.answers import Outcome, Payment, PaymentPage
from contracts.payments.enums import ProviderName
from contracts.payments.interface import Payments
from gateway.access import ANYONE, STAFF, USER
from gateway.responses import created, replayable
from gateway.schemas.common import Keyed, idempotency_key
from gateway.schemas.payments import (
    CameBack,
    NewPayment,
    PaymentPath,
    PaymentQuery,
    ProviderEvent,
    Refund,
    WebhookHeaders,
    WebhookPath,
)


class PaymentRoutes:
    """`/api/payments…`: of one's own orders, for staff of all; and what the providers tell."""

    orders: Orders
    payments: Payments = RpcProxy("payments", timeout=14)

    @route(
        "POST",
        "/api/payments",
        who=USER,
        headers=Keyed,
        body=NewPayment,
        answer=Payment,
        status=201,
        etag=True,
        faults=(404, 409, 502),
    )
    def pay_order(self, request: Request, body: Json) -> Response:
        """Pay an order with a token of the payment provider.

        `pending` and `requires_action` are not the end: look again, or follow `action_url`. Paying
        again by another means replaces a payment that waits for its buyer. An order that costs
        nothing is paid when it is placed: 409, `nothing_to_pay`. An `Idempotency-Key` makes it safe
        to send again.
        """
        key = idempotency_key(request)
        payment = self.orders.pay(actor=request.actor, key=key, **body)
        return created("/api/payments", payment)

    @route("GET", "/api/payments", who=USER, query=PaymentQuery, answer=PaymentPage)
    def list_payments(self, request: Request, query: Json) -> Json:
        """The payments of an order, newest first."""
        return self.payments.list(actor=request.actor, **query)

    @route(
        "GET",
        "/api/payments/{payment_id}",
        who=USER,
        path=PaymentPath,
        answer=Payment,
        etag=True,
    )
    def get_payment(self, request: Request, payment_id: UUID) -> Json:
        """One payment."""
        return self.payments.get(payment_id=payment_id, actor=request.actor)

    @route(
        "POST",
        "/api/payments/{payment_id}/refund",
        who=STAFF,
        path=PaymentPath,
        headers=Keyed,
        body=Refund,
        answer=Payment,
        faults=(409, 502),
    )
    def refund_payment(self, request: Request, payment_id: UUID, body: Json) -> Response:
        """Refund a payment, all or some of it. An `Idempotency-Key` makes it safe to repeat."""
        key = idempotency_key(request)
        payment = self.payments.refund(payment_id=payment_id, actor=request.actor, key=key, **body)
        return replayable(payment)

    @route(
        "POST",
        "/api/payments/webhooks/{provider}",
        who=ANYONE,
        path=WebhookPath,
        headers=WebhookHeaders,
        body=ProviderEvent,
        status=204,
        limit=WEBHOOKS,
        faults=(404,),
    )
    def take_webhook(self, request: Request, provider: str, body: Json) -> None:
        """Receive an event of a payment provider.

        Nobody but the provider can sign it: its `Stripe-Signature` is over the time and the body as
        it was sent. An event that comes again, late or out of order does no harm.
        """
        signature = request.header("Stripe-Signature")
        self.payments.webhook(provider=provider, body=request.body.decode(), signature=signature)

    @route(
        "GET",
        "/api/payments/stripe/success",
        who=ANYONE,
        query=CameBack,
        answer=Outcome,
        faults=(404, 502),
    )
    def payment_return_success(self, request: Request, query: Json) -> Json:
        """Stripe's page sends the buyer here after paying; answers with the payment's state."""
        (reference,) = query.values()
        return self.payments.returned(provider=ProviderName.STRIPE, reference=reference)

    @route(
        "GET",
        "/api/payments/stripe/fail",
        who=ANYONE,
        query=CameBack,
        answer=Outcome,
        faults=(404, 502),
    )
    def payment_return_cancelled(self, request: Request, query: Json) -> Json:
        """Stripe's page sends the buyer here who left it; the payment stays as it is."""
        (reference,) = query.values()
        return self.payments.returned(provider=ProviderName.STRIPE, reference=reference)
