"""Asking Stripe: its own library, the time that a call may take, and what its errors mean here."""

import functools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
import stripe
import structlog

from chassis.errors import ProviderFault
from payments.errors import ProviderTimeout

#: What our code was written against; Stripe goes on answering in this form.
API_VERSION = "2026-10-28.endive"
#: The library asks once more, under the same idempotency key, when a connection broke or Stripe
#: was in trouble.
RETRIES = 1
#: Seconds for a connection; the rest of a call's time is for the answer.
CONNECT_SECONDS = 2

#: Stripe has read the request and says no. Any other error leaves open what it did.
_REFUSALS = (
    stripe.AuthenticationError,
    stripe.CardError,
    stripe.InvalidRequestError,
    stripe.PermissionError,
)

log = structlog.get_logger("payments")
# It tells the root logger whatever is sent and answered, tokens and client secrets included.
logging.getLogger("stripe").setLevel(logging.WARNING)

_until: ContextVar[float] = ContextVar("until")


@functools.cache
def client(api_key: str, api_base: str, seconds: float) -> stripe.StripeClient:
    """One for the process, whose connections are used again; no request takes longer than
    `seconds`."""
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base.rstrip("/")},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=seconds, session=_Session()),
    )


class _Session(requests.Session):
    """Gives each request what its call has left of its time, so that several, with their repeats,
    take no longer than one."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        left = min(kwargs["timeout"], _until.get(float("inf")) - time.monotonic())
        if left <= 0:
            raise requests.Timeout
        connect = min(left / 2, CONNECT_SECONDS)
        return super().request(*args, **kwargs | {"timeout": (connect, left - connect)})


@contextmanager
def asking(seconds: float) -> Iterator[None]:
    """All requests inside are over after `seconds`; errors are as `answering` has them."""
    token = _until.set(time.monotonic() + seconds)
    try:
        with answering():
            yield
    finally:
        _until.reset(token)


@contextmanager
def answering() -> Iterator[None]:
    """A refusal is a `ProviderFault`, everything else an unknown outcome: `ProviderTimeout`.

    Neither shows Stripe's own words, which may repeat what was sent.
    """
    try:
        yield
    except _REFUSALS as error:
        raise ProviderFault(f"Stripe refused the request ({code(error)}).") from None
    except stripe.StripeError as error:
        log.warning("stripe_unanswered", error=type(error).__name__, status=error.http_status)
        raise ProviderTimeout from None


def code(error: stripe.StripeError) -> str:
    """A word for the refusal: of a declined card the bank's reason."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    details = body.get("error")
    decline = details.get("decline_code") if isinstance(details, dict) else None
    return decline or error.code or "refused"
