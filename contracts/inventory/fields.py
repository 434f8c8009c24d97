"""Bounds that the services and their callers share."""

import datetime
from typing import Any

from marshmallow import validate

from chassis.fields import String

#: Most different variants in one question about stock, and so in one cart or order.
MAX_LINES = 100
#: The most of one variant that an order may hold.
MAX_QUANTITY = 10_000
#: No order may hold stock for longer, whatever it asks for.
MAX_HOLD = datetime.timedelta(days=61)
#: Locations of one shop, and how late one can come among them.
MAX_LOCATIONS, MAX_PRIORITY = 100, 10_000

_CODE = validate.Regexp(
    r"[A-Z0-9][A-Z0-9_-]*\Z", error="Capital letters, digits, - and _ only: a code such as AMS."
)


class LocationCode(String):
    """The code of a location: `AMS`."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=20, validate=_CODE, **kwargs)
