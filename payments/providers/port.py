"""What the service asks of every payment provider.

A provider keeps its own books. Whatever it is asked under a key it has seen it does not do
again: it repeats its first answer. So a lost answer can be asked for later, by `look_up`.

Every call may raise `payments.errors.ProviderTimeout`: the outcome is unknown. How to add one:
docs/payments.md.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from contracts.payments.methods import PaymentMethod


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """Take `amount` under `key` by `method`, whose token is shown in no repr."""

    key: str
    amount: Decimal
    currency: str
    method: PaymentMethod


@dataclass(frozen=True, slots=True)
class KnownCharge:
    """A charge by what we know of it: our `key`, empty where a buyer has only brought the
    `reference`, which is what the provider calls it, once told."""

    key: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class ChargeReport:
    """What the provider says of a charge: `status` is `requires_action`, `succeeded` or `failed`;
    `pending` while it has not decided. `reference` is what a refund has to name.

    `action_url`: where the buyer has to go; as `private_url`, when it has a secret of theirs in it:
    that is shown to them and never stored."""

    status: str
    amount: Decimal
    currency: str
    reference: str | None = None
    action_url: str | None = None
    failure_code: str | None = None
    private_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give `amount` of the charge `reference` back, under `key`."""

    key: str
    reference: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What the provider says of a refund: done, with its `reference`, or refused."""

    done: bool
    reference: str | None = None
    failure_code: str | None = None


class Kind(StrEnum):
    """How money moves; the same words as in the ledger."""

    CAPTURE = "capture"
    REFUND = "refund"
    #: The buyer's bank took money back, and what of that came to us again.
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"


@dataclass(frozen=True, slots=True)
class ProviderTransaction:
    """Money that moved, by the provider's books: `reference` names the transaction (of a capture:
    the charge itself), `charge` the charge it belongs to. `key` is ours, None when others made
    it."""

    kind: Kind
    reference: str
    charge: str
    amount: Decimal
    currency: str
    key: str | None = field(default=None)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook's content, as far as it is believed: that something about one charge is worth a
    look. It has the provider's `reference` or our `key`, or neither when it is about no charge.

    `status`: the `succeeded` or `failed` that it tells of the charge, None for anything else. It is
    believed only so far that there is nothing to do for a payment that is so already."""

    id: str
    type: str
    reference: str | None = None
    key: str | None = None
    status: str | None = None


class Provider(Protocol):
    """Someone who moves money."""

    @property
    def name(self) -> str:
        """On payments and ledger entries, and in the address of its webhook."""

    @property
    def test_mode(self) -> bool:
        """Is it no real money that it moves?"""

    def check(self, method: PaymentMethod, amount: Decimal, currency: str) -> None:
        """Raise `Invalid` for a method or an amount that this provider never accepts, without
        asking it."""

    def create(self, request: ChargeRequest, note: Callable[[str], None]) -> ChargeReport:
        """Charge once per key. When `look_up` will need a reference, `note(reference)` stores it
        before any money can move."""

    def look_up(self, charge: KnownCharge) -> ChargeReport | None:
        """The present state of a charge; None when no money has moved, nor will by itself."""

    def cancel(self, charge: KnownCharge) -> ChargeReport | None:
        """End a charge that waits, and say what became of it: taken, perhaps, in the last moment.
        None when no money has moved, nor will by itself."""

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back once per key."""

    def read_webhook(self, body: str, signature: str | None) -> WebhookEvent:
        """A webhook whose signature (the header `Stripe-Signature`, or one of its form) holds;
        raises `WebhookRefused`."""

    def transactions_of(self, charge: str) -> Iterable[ProviderTransaction]:
        """All money that moved for one charge (by its reference), the oldest first."""

    def transactions(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> Iterable[ProviderTransaction]:
        """All money that moved in that time, for the reconciliation."""
