"""The keys under which providers know our payments and refunds. They are derived from the rows, so
that a repeat neither charges nor gives back twice."""

import uuid

PAYMENT, REFUND = "payment-", "refund-"


def key_of(kind: str, row_id: uuid.UUID) -> str:
    """The key of a payment or refund."""
    return f"{kind}{row_id}"


def id_of(kind: str, key: str | None) -> uuid.UUID | None:
    """The id of the payment or refund that a provider was asked for under `key`; None for a key
    that is not of that form."""
    if key is None or not key.startswith(kind):
        return None
    try:
        return uuid.UUID(key.removeprefix(kind))
    except ValueError:
        return None
