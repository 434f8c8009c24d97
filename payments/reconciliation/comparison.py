"""Our ledger beside a provider's books: what only one of them has, or both in another way.

Nothing here reads anything; `payments.reconciliation.commands` does.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from contracts.payments.enums import Problem
from payments.providers.port import Kind, ProviderTransaction

#: What to do about each, in a sentence or two.
ADVICE = {
    Problem.CHARGE_UNKNOWN: "Money was taken and no payment of ours asked for it. Find out at the"
    " provider who made this charge; if nobody can say, give it back there.",
    Problem.CHARGE_NOT_BOOKED: "The buyer has paid and our books do not show it. Have the provider"
    " send its webhook of this charge again; if that changes nothing, give the money back there.",
    Problem.CHARGE_MISSING: "Our books show money that the provider has not taken. Do not ship the"
    " order, and ask the provider what became of the charge.",
    Problem.REFUND_NOT_BOOKED: "Money went back and our books do not show it. Have the provider"
    " send its webhook of this charge again; if that changes nothing, more went back than was left"
    " to refund, and what is too much has to be asked of the buyer.",
    Problem.REFUND_MISSING: "Our books show a refund that the provider has not made, or that has"
    " failed since. The buyer still has to get this money: give it back at the provider.",
    Problem.DISPUTE_NOT_BOOKED: "The buyer's bank took money back, or returned it, and our books do"
    " not show it. Have the provider send its webhook of this dispute again.",
    Problem.DISPUTE_MISSING: "Our books show a dispute that the provider does not have. Ask the"
    " provider what became of it.",
    Problem.AMOUNT_DIFFERS: "Both books have this, in another amount or currency. Ask the provider"
    " which is right; what is booked here stays, and is put right by another entry.",
    Problem.PAYMENT_PENDING: "Nobody knows yet whether this payment was made. See that the provider"
    " can be reached; if it can, look there for the charge by its key, payment-<payment id>.",
    Problem.REFUND_PENDING: "Nobody knows yet whether this refund was made. See that the provider"
    " can be reached; it is asked again every few minutes.",
    Problem.NOT_COMPARED: "Entries of a provider that is not set up here were not compared. Set it"
    " up again, and reconcile once more.",
}

_NOT_BOOKED = {
    Kind.CAPTURE: Problem.CHARGE_NOT_BOOKED,
    Kind.REFUND: Problem.REFUND_NOT_BOOKED,
    Kind.DISPUTE: Problem.DISPUTE_NOT_BOOKED,
    Kind.DISPUTE_REVERSED: Problem.DISPUTE_NOT_BOOKED,
}
_MISSING = {
    Kind.CAPTURE: Problem.CHARGE_MISSING,
    Kind.REFUND: Problem.REFUND_MISSING,
    Kind.DISPUTE: Problem.DISPUTE_MISSING,
    Kind.DISPUTE_REVERSED: Problem.DISPUTE_MISSING,
}


@dataclass(frozen=True, slots=True)
class Sum:
    """So much of a currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction as we have booked it, with the names that the provider has for it and for its
    charge (`payments.providers.port.ProviderTransaction`)."""

    id: int
    kind: Kind
    reference: str
    charge: str
    sum: Sum
    payment_id: uuid.UUID
    order_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Owner:
    """The payment that a transaction belongs to. While it, or its refund, is `settling`, the
    transaction is none that was lost: the provider has not been asked about it since."""

    payment_id: uuid.UUID
    order_id: uuid.UUID
    settling: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: `reference` is the provider's name for the transaction, `charge` for the
    charge that it belongs to, `refund_id` is ours, of a refund without an answer; `ours` and
    `theirs` are what each says of the amount."""

    problem: Problem
    provider: str
    reference: str | None = None
    charge: str | None = None
    payment_id: uuid.UUID | None = None
    order_id: uuid.UUID | None = None
    ours: Sum | None = None
    theirs: Sum | None = None
    refund_id: uuid.UUID | None = None

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.problem]


def compare(
    provider: str,
    entries: Iterable[Entry],
    transactions: Iterable[ProviderTransaction],
    owners: Mapping[ProviderTransaction, Owner],
) -> Iterator[Finding]:
    """What is wrong between `entries` and `transactions` of `provider`; `owners` are those of the
    transactions that are not booked, as far as there are any.

    A transaction that is listed twice is one. Of a charge that is nobody's only the capture is
    shown.
    """
    booked = {(entry.kind, entry.reference): entry for entry in entries}
    missing = dict(booked)
    for transaction in dict.fromkeys(transactions):
        key = transaction.kind, transaction.reference
        missing.pop(key, None)
        finding = (
            _differing(provider, booked[key], transaction)
            if key in booked
            else _not_booked(provider, transaction, owners.get(transaction))
        )
        if finding is not None:
            yield finding
    for entry in missing.values():
        yield _of_entry(_MISSING[entry.kind], provider, entry)


def _differing(provider: str, entry: Entry, transaction: ProviderTransaction) -> Finding | None:
    theirs = Sum(transaction.amount, transaction.currency)
    if theirs == entry.sum:
        return None
    return _of_entry(Problem.AMOUNT_DIFFERS, provider, entry, theirs)


def _of_entry(problem: Problem, provider: str, entry: Entry, theirs: Sum | None = None) -> Finding:
    return Finding(
        problem,
        provider,
        entry.reference,
        entry.charge,
        entry.payment_id,
        entry.order_id,
        ours=entry.sum,
        theirs=theirs,
    )


def _not_booked(
    provider: str, transaction: ProviderTransaction, owner: Owner | None
) -> Finding | None:
    theirs = Sum(transaction.amount, transaction.currency)
    if owner is None:
        if transaction.kind is not Kind.CAPTURE:
            return None
        return Finding(
            Problem.CHARGE_UNKNOWN,
            provider,
            transaction.reference,
            transaction.charge,
            theirs=theirs,
        )
    if owner.settling:
        return None
    return Finding(
        _NOT_BOOKED[transaction.kind],
        provider,
        transaction.reference,
        transaction.charge,
        owner.payment_id,
        owner.order_id,
        theirs=theirs,
    )
