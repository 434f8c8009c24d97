"""Stripe: PaymentIntents for tokens, its own page (Checkout) for buyers without one.

The idempotency keys are ours, derived from our rows, so that Stripe itself refuses to do a thing
twice (https://docs.stripe.com/api/idempotent_requests). A PaymentIntent is first made, which moves
no money, and its id stored; only then it is confirmed. So a process that dies in between leaves no
charge behind that nobody can find.
"""

import datetime
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import stripe

from chassis.errors import Invalid, ProviderFault
from payments import money
from payments.errors import ProviderTimeout
from payments.lifecycle import Status
from payments.methods import CARD, CHECKOUT, Method
from payments.providers import signed
from payments.providers.port import (
    ChargeOrder,
    ChargeReport,
    Kind,
    Known,
    Movement,
    Notice,
    RefundOrder,
    RefundReport,
)

#: What the code below was written against; Stripe goes on answering in this form.
API_VERSION = "2026-10-28.endive"
#: Tries of one request, the first included. A charge is two requests, a refund two as well.
TRIES, REQUESTS = 2, 2

_SESSION = "cs_"
#: Of a PaymentIntent that has not been confirmed, or whose confirmation failed.
_UNPAID = ("requires_payment_method", "requires_confirmation")


class Stripe:
    """Stripe by its own library; `settings` are those of section `payments.stripe`.

    `call_seconds`: all requests of one call, with their repeats, are over after this time.
    """

    name = "stripe"

    def __init__(self, settings: Mapping[str, Any], call_seconds: float):
        self._secrets = settings["webhook_secrets"]
        self._return_url = settings["return_url"].rstrip("/")
        seconds = call_seconds / TRIES / REQUESTS
        self._api = _client(settings["api_key"], settings["api_base"], seconds).v1

    def check(self, method: Method) -> None:
        """Take PaymentMethods, and nothing that could be a card itself."""
        if method.type == CARD and not str(method.token).startswith("pm_"):
            raise Invalid(errors={"method": ["Send a PaymentMethod of Stripe (pm_…)."]})

    def create(self, order: ChargeOrder, note: Callable[[str], None]) -> ChargeReport:
        """Make a PaymentIntent and confirm it, or open a page for the buyer."""
        money.to_minor(order.amount, order.currency)
        with _asking():
            if order.method.type == CHECKOUT:
                session = self._open_page(order)
                note(session.id)
                return self._of_session(session)
            try:
                intent = self._make_intent(order)
                note(intent.id)
                return self._of_intent(self._confirm(intent.id, order.key))
            except (stripe.CardError, stripe.InvalidRequestError) as refused:
                return ChargeReport(
                    Status.FAILED, order.amount, order.currency, failure_code=_code(refused)
                )

    def look_up(self, charge: Known) -> ChargeReport | None:
        """What became of it, by its id; without an id nothing was ever confirmed."""
        if charge.reference is None:
            return None
        with _asking():
            if charge.reference.startswith(_SESSION):
                return self._of_session(self._api.checkout.sessions.retrieve(charge.reference))
            intent = self._api.payment_intents.retrieve(charge.reference)
            never_confirmed = intent.status in _UNPAID and not intent.last_payment_error
            return None if never_confirmed else self._of_intent(intent)

    def refund(self, order: RefundOrder) -> RefundReport:
        """Give back; one that Stripe still works at counts as not answered."""
        with _asking():
            try:
                refund = self._api.refunds.create(
                    {
                        "payment_intent": order.reference,
                        "amount": money.to_minor(order.amount, order.currency),
                        "metadata": {"key": order.key},
                    },
                    {"idempotency_key": order.key},
                )
                if refund.status == "pending":  # perhaps said long ago: a repeat gets old answers
                    refund = self._api.refunds.retrieve(refund.id)
            except stripe.InvalidRequestError as refused:
                return RefundReport(done=False, failure_code=_code(refused))
        if refund.status not in ("succeeded", "failed", "canceled"):
            raise ProviderTimeout
        return RefundReport(
            done=refund.status == "succeeded",
            reference=refund.id,
            failure_code=refund.get("failure_reason"),
        )

    def read_notice(self, body: str, signature: str | None) -> Notice:
        """Which charge an event is about, by the PaymentIntent or page in its object."""
        event = signed.read(body, signature, self._secrets)
        thing = event.get("data", {}).get("object", {})
        is_charge = thing.get("object") in ("payment_intent", "checkout.session")
        reference = thing.get("id") if is_charge else thing.get("payment_intent")
        key = (thing.get("metadata") or {}).get("key") if is_charge else None
        return Notice(str(event.get("id")), str(event.get("type")), reference, key)

    def movements_of(self, charge: str) -> Iterator[Movement]:
        """Refunds and disputes of a PaymentIntent, and its own capture."""
        with _asking():
            intent = self._api.payment_intents.retrieve(charge)
            if intent.status == "succeeded":
                yield _movement(Kind.CAPTURE, intent, intent.id, intent.amount_received)
            for refund in self._api.refunds.list({"payment_intent": charge}).auto_paging_iter():
                yield from _of_refund(refund)
            for dispute in self._api.disputes.list({"payment_intent": charge}).auto_paging_iter():
                yield from _of_dispute(dispute)

    def movements(self, since: datetime.datetime, until: datetime.datetime) -> Iterator[Movement]:
        """Everything that was made in that time."""
        made = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        lists = self._api.payment_intents, self._api.refunds, self._api.disputes
        intents, refunds, disputes = (
            each.list({"created": made, "limit": 100}).auto_paging_iter for each in lists
        )
        with _asking():
            for intent in intents():
                if intent.status == "succeeded":
                    yield _movement(Kind.CAPTURE, intent, intent.id, intent.amount_received)
            for refund in refunds():
                yield from _of_refund(refund)
            for dispute in disputes():
                yield from _of_dispute(dispute)

    def _make_intent(self, order: ChargeOrder) -> stripe.PaymentIntent:
        return self._api.payment_intents.create(
            {
                "amount": money.to_minor(order.amount, order.currency),
                "currency": order.currency.lower(),
                "payment_method": order.method.token,
                "payment_method_types": ["card"],
                "metadata": {"key": order.key},
            },
            {"idempotency_key": order.key},
        )

    def _confirm(self, reference: str, key: str) -> stripe.PaymentIntent:
        back = f"{self._return_url}/api/payments/stripe/success?payment_intent={reference}"
        return self._api.payment_intents.confirm(
            reference, {"return_url": back}, {"idempotency_key": f"{key}-confirm"}
        )

    def _open_page(self, order: ChargeOrder) -> Any:
        pages = f"{self._return_url}/api/payments/stripe"
        price = {
            "currency": order.currency.lower(),
            "unit_amount": money.to_minor(order.amount, order.currency),
            "product_data": {"name": "Order"},
        }
        return self._api.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"quantity": 1, "price_data": price}],
                "success_url": pages + "/success?session_id={CHECKOUT_SESSION_ID}",
                "cancel_url": pages + "/fail?session_id={CHECKOUT_SESSION_ID}",
                "metadata": {"key": order.key},
                "payment_intent_data": {"metadata": {"key": order.key}},
            },
            {"idempotency_key": order.key},
        )

    def _of_intent(self, intent: stripe.PaymentIntent) -> ChargeReport:
        currency = intent.currency.upper()
        minor, status = intent.amount, Status.PENDING
        if intent.status == "succeeded":
            minor, status = intent.amount_received, Status.SUCCEEDED
        elif intent.status == "requires_action":
            status = Status.REQUIRES_ACTION
        elif intent.status in (*_UNPAID, "canceled"):
            status = Status.FAILED
        step = (intent.next_action or {}).get("redirect_to_url") or {}
        return ChargeReport(
            status,
            money.from_minor(minor, currency),
            currency,
            reference=intent.id,
            action_url=step.get("url") if status == Status.REQUIRES_ACTION else None,
            failure_code=_why(intent) if status == Status.FAILED else None,
        )

    def _of_session(self, session: Any) -> ChargeReport:
        currency = session.currency.upper()
        status, reference = Status.PENDING, session.id
        if session.payment_status == "paid":
            status, reference = Status.SUCCEEDED, session.payment_intent
        elif session.status == "open":
            status = Status.REQUIRES_ACTION
        elif session.status == "expired":
            status = Status.FAILED
        return ChargeReport(
            status,
            money.from_minor(session.amount_total, currency),
            currency,
            reference=reference,
            action_url=session.url if status == Status.REQUIRES_ACTION else None,
            failure_code="page_expired" if status == Status.FAILED else None,
        )


@functools.cache
def _client(api_key: str, api_base: str, seconds: float) -> stripe.StripeClient:
    """One for the process: its connections are used again."""
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base},
        max_network_retries=TRIES - 1,
        http_client=stripe.RequestsClient(timeout=seconds, session=requests.Session()),
    )


@contextmanager
def _asking() -> Iterator[None]:
    """What is no answer leaves the outcome unknown; their mistakes and ours show no internals."""
    try:
        yield
    except (
        stripe.APIConnectionError,
        stripe.RateLimitError,
        stripe.IdempotencyError,  # the first request with this key is not done yet
    ):
        raise ProviderTimeout from None
    except stripe.StripeError as error:
        if error.http_status is None or error.http_status >= 500 or error.http_status == 409:
            raise ProviderTimeout from None
        raise ProviderFault(f"Stripe refused the request ({_code(error)})") from None


def _of_refund(refund: stripe.Refund) -> Iterator[Movement]:
    if refund.status == "succeeded":
        key = (refund.metadata or {}).get("key")
        yield _movement(Kind.REFUND, refund, refund.payment_intent, refund.amount, key)


def _of_dispute(dispute: stripe.Dispute) -> Iterator[Movement]:
    """A mere warning moves nothing."""
    if dispute.status.startswith("warning"):
        return
    yield _movement(Kind.DISPUTE, dispute, dispute.payment_intent, dispute.amount)
    if dispute.status == "won":
        yield _movement(Kind.DISPUTE_REVERSED, dispute, dispute.payment_intent, dispute.amount)


def _movement(kind: Kind, thing: Any, charge: str, minor: int, key: str | None = None) -> Movement:
    currency = thing.currency.upper()
    return Movement(kind, thing.id, charge, money.from_minor(minor, currency), currency, key)


def _why(intent: stripe.PaymentIntent) -> str:
    error = intent.last_payment_error or {}
    return error.get("decline_code") or error.get("code") or intent.status


def _code(error: stripe.StripeError) -> str:
    """A word for the failure; never Stripe's sentence, which may repeat what was sent."""
    details = error.json_body.get("error", {}) if isinstance(error.json_body, dict) else {}
    return details.get("decline_code") or error.code or "refused"
