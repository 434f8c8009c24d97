"""What the service asks of every payment provider.

A provider keeps its own books. Whatever it is asked under a key it has seen it does not do
again: it repeats its first answer. So a lost answer can be asked for later, by `look_up`.

Every call may raise `payments.errors.ProviderTimeout`: the outcome is unknown.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from payments.methods import Method


@dataclass(frozen=True, slots=True)
class ChargeOrder:
    """Take `amount` under `key`; the token is shown in no repr."""

    key: str
    amount: Decimal
    currency: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChargeReport:
    """What the provider says of a charge: `status` is one of `payments.lifecycle.REPORTS`."""

    status: str
    amount: Decimal
    currency: str
    reference: str | None = None
    action_url: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class RefundOrder:
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


class Provider(Protocol):
    """Someone who moves money."""

    #: The name on payments and ledger entries.
    name: str

    def check(self, method: Method) -> None:
        """Raise `Invalid` for a method that this provider never accepts, without asking it."""

    def create(self, order: ChargeOrder) -> ChargeReport:
        """Charge once per key."""

    def look_up(self, key: str) -> ChargeReport | None:
        """The present state of the charge under `key`; None when it never arrived."""

    def refund(self, order: RefundOrder) -> RefundReport:
        """Give back once per key."""
