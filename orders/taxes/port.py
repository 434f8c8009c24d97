"""What the rest of orders needs of whoever knows taxes: our own table of rates
(`orders.taxes.rules.RateTable`), or a tax service."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from orders.taxes.rules import Estimate, Taxable


class Taxes(Protocol):
    """Taxes of what is delivered to an address ({country, region?}) at a moment."""

    def estimate(
        self, charged: Sequence[Taxable], address: Mapping[str, Any], at: datetime.datetime
    ) -> Estimate:
        """The tax of what is `charged`, and of each its part of it, which add up."""
        ...
