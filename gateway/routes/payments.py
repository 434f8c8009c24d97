"""Payments."""

from chassis.web import route
from gateway.access import STAFF, USER
from gateway.answers import created, replayable
from gateway.schemas.common import Keyed, idempotency_key
from gateway.schemas.payments import (
    NewPayment,
    Payment,
    PaymentPage,
    PaymentPath,
    PaymentQuery,
    Refund,
)


class PaymentRoutes:
    """`/api/payments…`: of one's own orders; for staff, of all."""

    @route(
        "POST",
        "/api/payments",
        who=USER,
        headers=Keyed,
        body=NewPayment,
        answer=Payment,
        status=201,
        is_tagged=True,
        faults=(404, 409, 502),
    )
    def pay_order(self, request, body):
        """Pay an order with a token of the payment provider.

        `pending` and `requires_action` are not the end: look again, or follow `action_url`. An
        `Idempotency-Key` makes it safe to send again.
        """
        key = idempotency_key(request)
        payment = self.orders.pay(actor=request.actor, key=key, **body)
        return created("/api/payments", payment)

    @route("GET", "/api/payments", who=USER, query=PaymentQuery, answer=PaymentPage)
    def list_payments(self, request, query):
        """The payments of an order, newest first."""
        return self.payments.list(actor=request.actor, **query)

    @route(
        "GET",
        "/api/payments/{payment_id}",
        who=USER,
        path=PaymentPath,
        answer=Payment,
        is_tagged=True,
    )
    def get_payment(self, request, payment_id):
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
    def refund_payment(self, request, payment_id, body):
        """Give money back, all of it or some. An `Idempotency-Key` makes it safe to send again."""
        key = idempotency_key(request)
        payment = self.payments.refund(payment_id=payment_id, actor=request.actor, key=key, **body)
        return replayable(payment)
