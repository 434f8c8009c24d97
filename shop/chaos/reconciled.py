"""Does payments itself find its ledger in agreement with the provider's books?"""

import datetime
from collections.abc import Iterator
from typing import Any

from shop import reconcile
from shop.verify import Books, Invariant, Violation


def invariant(amqp_uri: str, since: datetime.datetime) -> Invariant:
    """What `shop reconcile` says of everything that has moved since then."""

    def report() -> dict[str, Any]:
        return reconcile.ask(amqp_uri, since, datetime.datetime.now(datetime.UTC))

    def find(books: Books) -> Iterator[Violation]:
        for finding in report()["findings"]:
            yield Violation(f"payment {finding['payment_id']}", finding["problem"])

    return Invariant(
        "reconciliation is empty",
        "our ledger and the provider's books have the same movements, of the same amounts",
        lambda books: report()["movements"],
        find,
    )
