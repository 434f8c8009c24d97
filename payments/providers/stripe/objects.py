"""What Stripe's objects, as plain dicts, mean in the words of the port."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from chassis.currencies import places
from contracts.payments.enums import FailureCode, Status
from payments.providers import money
from payments.providers.port import ChargeReport, Kind, ProviderTransaction

#: How the ids of its payment pages begin.
SESSION = "cs_"

#: Of a PaymentIntent that has not been confirmed, or whose confirmation failed.
_UNPAID = ("requires_payment_method", "requires_confirmation")
#: What events of these types tell of a charge (https://docs.stripe.com/api/events/types).
TOLD = {
    "payment_intent.succeeded": Status.SUCCEEDED,
    "payment_intent.payment_failed": Status.FAILED,
    "payment_intent.canceled": Status.FAILED,
    "checkout.session.completed": Status.SUCCEEDED,
    "checkout.session.expired": Status.FAILED,
}
#: Where Stripe counts otherwise than ISO 4217 (https://docs.stripe.com/currencies#special-cases).
_PLACES = {"ISK": 2, "MGA": 0, "UGX": 2}


def minor(amount: Decimal, currency: str) -> int:
    """An amount as Stripe counts it. Raises `Invalid` for what it does not: of three places the
    last has to be 0 (https://docs.stripe.com/currencies#three-decimal)."""
    if places(currency) == 3:
        return money.to_minor(amount, currency, 2, of="Stripe") * 10
    return money.to_minor(amount, currency, _PLACES.get(currency))


def is_session(thing: dict[str, Any]) -> bool:
    """Is it a payment page, and not a PaymentIntent?"""
    return thing["id"].startswith(SESSION)


def is_untouched(thing: dict[str, Any]) -> bool:
    """Is it a PaymentIntent that nobody has confirmed, which moves no money by itself?"""
    return (
        not is_session(thing) and thing["status"] in _UNPAID and not thing.get("last_payment_error")
    )


def key_of(thing: dict[str, Any]) -> str | None:
    """Our key, which we had Stripe write on it."""
    metadata = thing.get("metadata")
    key = metadata.get("key") if isinstance(metadata, dict) else None
    return key if isinstance(key, str) else None


def report_of(thing: dict[str, Any]) -> ChargeReport:
    """The state of a PaymentIntent or page."""
    return _of_session(thing) if is_session(thing) else _of_intent(thing)


def _of_intent(intent: dict[str, Any]) -> ChargeReport:
    amount, status = intent["amount"], Status.PENDING
    if intent["status"] == "succeeded":
        amount, status = intent["amount_received"], Status.SUCCEEDED
    elif intent["status"] == "requires_action":
        status = Status.REQUIRES_ACTION
    elif intent["status"] in (*_UNPAID, "canceled"):
        status = Status.FAILED
    redirect = (intent.get("next_action") or {}).get("redirect_to_url") or {}
    return ChargeReport(
        status,
        **_money(amount, intent),
        reference=intent["id"],
        failure_code=_why(intent) if status == Status.FAILED else None,
        # It has the client secret in it.
        private_url=redirect.get("url") if status == Status.REQUIRES_ACTION else None,
    )


def _of_session(session: dict[str, Any]) -> ChargeReport:
    """Once it is paid, `reference` is the PaymentIntent that was paid by it."""
    reference, status = session["id"], Status.PENDING
    if session["payment_status"] == "paid":
        reference, status = session["payment_intent"], Status.SUCCEEDED
    elif session["status"] == "open":
        status = Status.REQUIRES_ACTION
    elif session["status"] == "expired":
        status = Status.FAILED
    return ChargeReport(
        status,
        **_money(session["amount_total"], session),
        reference=reference,
        action_url=session["url"] if status == Status.REQUIRES_ACTION else None,
        failure_code=FailureCode.PAGE_EXPIRED if status == Status.FAILED else None,
    )


def _why(intent: dict[str, Any]) -> str:
    """A word for the failure: of a declined card the bank's reason."""
    if intent["status"] == "canceled":
        reason = intent.get("cancellation_reason")
        return FailureCode.AUTHENTICATION_EXPIRED if reason == "abandoned" else reason or "canceled"
    error = intent.get("last_payment_error") or {}
    return error.get("decline_code") or error.get("code") or intent["status"]


def of_charge(charge: dict[str, Any]) -> Iterator[ProviderTransaction]:
    """What was taken; by its PaymentIntent, unless others charged without one."""
    if charge["status"] == "succeeded" and charge["captured"]:
        reference = charge["payment_intent"] or charge["id"]
        taken = _money(charge["amount_captured"], charge)
        yield ProviderTransaction(Kind.CAPTURE, reference, reference, **taken, key=key_of(charge))


def of_refund(refund: dict[str, Any]) -> Iterator[ProviderTransaction]:
    """What was given back."""
    if refund["status"] == "succeeded":
        given = _money(refund["amount"], refund)
        yield ProviderTransaction(
            Kind.REFUND, refund["id"], _charge(refund), **given, key=key_of(refund)
        )


def of_dispute(dispute: dict[str, Any]) -> Iterator[ProviderTransaction]:
    """What the bank took, and what came back; a mere inquiry has moved nothing."""
    disputed = _money(dispute["amount"], dispute)
    booked = [transaction["amount"] for transaction in dispute["balance_transactions"]]
    if any(amount < 0 for amount in booked):
        yield ProviderTransaction(Kind.DISPUTE, dispute["id"], _charge(dispute), **disputed)
    if any(amount > 0 for amount in booked):
        yield ProviderTransaction(
            Kind.DISPUTE_REVERSED, dispute["id"], _charge(dispute), **disputed
        )


def _charge(thing: dict[str, Any]) -> str:
    return thing["payment_intent"] or thing["charge"]


def _money(amount: int, thing: dict[str, Any]) -> dict[str, Any]:
    currency = thing["currency"].upper()
    return {
        "amount": money.from_minor(amount, currency, _PLACES.get(currency)),
        "currency": currency,
    }
