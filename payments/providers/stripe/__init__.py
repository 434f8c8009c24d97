"""Stripe: PaymentIntents for tokens, its own page (Checkout) for buyers without one.

The idempotency keys are ours, derived from our rows, so that Stripe itself refuses to do a thing
twice (https://docs.stripe.com/api/idempotent_requests). It forgets them after a day; therefore what
may be asked for later than that is looked for first. A PaymentIntent is first made, which moves no
money, and its id stored; only then it is confirmed. So a process that dies in between leaves no
charge behind that nobody can find.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import stripe

from chassis.errors import Invalid
from contracts.payments.enums import MethodType, ProviderName, Status
from contracts.payments.methods import PaymentMethod
from payments.errors import ProviderTimeout, WebhookRefused
from payments.providers import webhook_signature
from payments.providers.port import (
    ChargeReport,
    ChargeRequest,
    KnownCharge,
    ProviderTransaction,
    RefundReport,
    RefundRequest,
    WebhookEvent,
)
from payments.providers.stripe.api import answering, asking, client, code
from payments.providers.stripe.objects import (
    SESSION,
    TOLD,
    is_untouched,
    key_of,
    minor,
    of_charge,
    of_dispute,
    of_refund,
    report_of,
)
from payments.settings import is_test_key

if TYPE_CHECKING:
    from stripe.params import (
        PaymentIntentCancelParams,
        PaymentIntentConfirmParams,
        PaymentIntentCreateParams,
        RefundCreateParams,
        RefundListParams,
    )
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItemPriceData

#: Most that one page of a list has.
_PAGE = 100


class Stripe:
    """Stripe by its own library; `settings` are those of section `payments.stripe`.

    `call_seconds`: all requests of one call, with their repeats, are over after this time.
    """

    name = ProviderName.STRIPE

    def __init__(
        self,
        settings: Mapping[str, Any],
        call_seconds: float,
        clock: Callable[[], datetime.datetime],
    ):
        self.test_mode = is_test_key(settings["api_key"])
        self._secrets = settings["webhook_secrets"]
        self._pages = settings["return_url"].rstrip("/") + "/api/payments/stripe"
        self._patience = datetime.timedelta(seconds=settings["action_seconds"])
        self._call_seconds = call_seconds
        self._clock = clock
        self._api = client(settings["api_key"], settings["api_base"], call_seconds).v1

    def check(self, method: PaymentMethod, amount: Decimal, currency: str) -> None:
        """Take PaymentMethods, and nothing that could be a card itself; and no amount that Stripe
        does not count (`objects.minor`)."""
        minor(amount, currency)
        if method.type == MethodType.CARD and not str(method.token).startswith("pm_"):
            raise Invalid(errors={"method": ["Send a PaymentMethod of Stripe (pm_…)."]})

    def create(self, request: ChargeRequest, note: Callable[[str], None]) -> ChargeReport:
        """Make a PaymentIntent and confirm it, or open a page for the buyer."""
        make = self._open_page if request.method.type == MethodType.CHECKOUT else self._make_intent
        with asking(self._call_seconds):
            try:
                made = make(request)
            except (stripe.CardError, stripe.InvalidRequestError) as refused:
                return _failed(request, code(refused))
            note(made["id"])
            if request.method.type == MethodType.CHECKOUT:
                return report_of(made)
            return self._confirm(request, made)

    def look_up(self, charge: KnownCharge) -> ChargeReport | None:
        """What became of it, by its id; without an id nothing was ever confirmed.

        A buyer whom it waits for too long is not waited for any more.
        """
        if charge.reference is None:
            return None
        with asking(self._call_seconds):
            found = self._retrieve(charge.reference)
            report = report_of(found)
            ours = key_of(found) == charge.key
            if report.status == Status.REQUIRES_ACTION and ours and self._is_over(found):
                found = self._end(found)
                report = report_of(found)
        return None if is_untouched(found) else report

    def cancel(self, charge: KnownCharge) -> ChargeReport | None:
        """Cancel the PaymentIntent, or close the page; paid in the last moment it stays paid.
        Without an id nothing was ever confirmed."""
        if charge.reference is None:
            return None
        with asking(self._call_seconds):
            found = self._retrieve(charge.reference)
            if is_untouched(found) or report_of(found).status == Status.REQUIRES_ACTION:
                found = self._end(found)
        return report_of(found)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back; one that Stripe still works at counts as not answered."""
        with asking(self._call_seconds):
            refund = self._find_refund(request)
            if refund is None:
                try:
                    refund = self._make_refund(request)
                except Invalid:
                    return RefundReport(done=False, failure_code="amount_not_supported")
                except stripe.InvalidRequestError as refused:
                    return RefundReport(done=False, failure_code=code(refused))
        if refund["status"] not in ("succeeded", "failed", "canceled"):
            raise ProviderTimeout
        done = refund["status"] == "succeeded"
        why = None if done else refund.get("failure_reason") or refund["status"]
        return RefundReport(done=done, reference=refund["id"], failure_code=why)

    def read_webhook(self, body: str, signature: str | None) -> WebhookEvent:
        """Which charge an event is about, by the PaymentIntent or page in its object."""
        event = webhook_signature.read(body, signature, self._secrets)
        data = event.get("data")
        thing = data.get("object") if isinstance(data, dict) else None
        if not isinstance(thing, dict) or not event.get("id"):
            raise WebhookRefused("unreadable")
        is_charge = thing.get("object") in ("payment_intent", "checkout.session")
        reference = thing.get("id") if is_charge else thing.get("payment_intent")
        return WebhookEvent(
            id=str(event["id"]),
            type=str(event.get("type")),
            reference=reference if isinstance(reference, str) else None,
            key=key_of(thing) if is_charge else None,
            status=TOLD.get(str(event.get("type"))),
        )

    def transactions_of(self, charge: str) -> Iterable[ProviderTransaction]:
        """Of a PaymentIntent, or of the one that was paid on a page."""
        if charge.startswith(SESSION):
            with answering():
                intent = self._retrieve(charge).get("payment_intent")
            return self.transactions_of(intent) if intent else []
        moved = list(self._moved({"payment_intent": charge}))
        return [transaction for _, transaction in sorted(moved, key=lambda each: each[0])]

    def transactions(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> Iterator[ProviderTransaction]:
        """Everything that was made in that time."""
        made = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        return (transaction for _, transaction in self._moved({"created": made}))

    def _make_intent(self, request: ChargeRequest) -> dict[str, Any]:
        wanted: PaymentIntentCreateParams = {
            "amount": minor(request.amount, request.currency),
            "currency": request.currency.lower(),
            "payment_method": str(request.method.token),
            "allowed_payment_method_types": ["card"],
            "metadata": {"key": request.key},
        }
        return self._api.payment_intents.create(wanted, {"idempotency_key": request.key}).to_dict()

    def _confirm(self, request: ChargeRequest, intent: dict[str, Any]) -> ChargeReport:
        # Stripe adds `payment_intent` to the address when it sends a buyer back.
        wanted: PaymentIntentConfirmParams = {"return_url": f"{self._pages}/success"}
        option: stripe.RequestOptions = {"idempotency_key": f"{request.key}-confirm"}
        try:
            confirmed = self._api.payment_intents.confirm(intent["id"], wanted, option)
        except stripe.CardError as declined:
            return _failed(request, code(declined))
        except stripe.InvalidRequestError as refused:
            # Perhaps because somebody was faster.
            found = self._retrieve(intent["id"])
            return _failed(request, code(refused)) if is_untouched(found) else report_of(found)
        return report_of(confirmed.to_dict())

    def _open_page(self, request: ChargeRequest) -> dict[str, Any]:
        price: SessionCreateParamsLineItemPriceData = {
            "currency": request.currency.lower(),
            "unit_amount": minor(request.amount, request.currency),
            "product_data": {"name": "Order"},
        }
        wanted: SessionCreateParams = {
            "mode": "payment",
            # With others it may take days to know whether money came.
            "allowed_payment_method_types": ["card"],
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": self._pages + "/success?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": self._pages + "/fail?session_id={CHECKOUT_SESSION_ID}",
            "metadata": {"key": request.key},
            "payment_intent_data": {"metadata": {"key": request.key}},
        }
        return self._api.checkout.sessions.create(
            wanted, {"idempotency_key": request.key}
        ).to_dict()

    def _retrieve(self, reference: str) -> dict[str, Any]:
        is_page = reference.startswith(SESSION)
        things = self._api.checkout.sessions if is_page else self._api.payment_intents
        return things.retrieve(reference).to_dict()

    def _is_over(self, thing: dict[str, Any]) -> bool:
        made = datetime.datetime.fromtimestamp(thing["created"], datetime.UTC)
        return made + self._patience <= self._clock()

    def _end(self, thing: dict[str, Any]) -> dict[str, Any]:
        """Close what waits for its buyer; it is as Stripe has it then, paid in the last moment
        perhaps."""
        reference = thing["id"]
        try:
            if reference.startswith(SESSION):
                return self._api.checkout.sessions.expire(reference).to_dict()
            wanted: PaymentIntentCancelParams = {"cancellation_reason": "abandoned"}
            return self._api.payment_intents.cancel(reference, wanted).to_dict()
        except stripe.InvalidRequestError:
            return self._retrieve(reference)

    def _find_refund(self, request: RefundRequest) -> dict[str, Any] | None:
        """One that was asked for before, perhaps longer ago than Stripe keeps idempotency keys; as
        it is now, which a repeat under its key would not tell."""
        wanted: RefundListParams = {"payment_intent": request.reference, "limit": _PAGE}
        for refund in self._api.refunds.list(wanted).auto_paging_iter():
            if key_of(refund.to_dict()) == request.key:
                return refund.to_dict()
        return None

    def _make_refund(self, request: RefundRequest) -> dict[str, Any]:
        wanted: RefundCreateParams = {
            "payment_intent": request.reference,
            "amount": minor(request.amount, request.currency),
            "metadata": {"key": request.key},
        }
        return self._api.refunds.create(wanted, {"idempotency_key": request.key}).to_dict()

    def _moved(self, which: dict[str, Any]) -> Iterator[tuple[int, ProviderTransaction]]:
        """Movements, each with its time; of captures that is when the card was charged."""
        lists: tuple[tuple[Any, Callable[[dict[str, Any]], Iterator[ProviderTransaction]]], ...] = (
            (self._api.charges, of_charge),
            (self._api.refunds, of_refund),
            (self._api.disputes, of_dispute),
        )
        with answering():
            for things, read in lists:
                for thing in things.list({"limit": _PAGE, **which}).auto_paging_iter():
                    for transaction in read(thing.to_dict()):
                        yield thing.created, transaction


def _failed(request: ChargeRequest, why: str) -> ChargeReport:
    return ChargeReport(Status.FAILED, request.amount, request.currency, failure_code=why)
