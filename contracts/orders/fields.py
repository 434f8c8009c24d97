"""The bounds of an order, and forms that orders and its callers share."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from chassis.fields import MAX_MONEY

#: Most of one product in a cart or order.
MAX_QUANTITY = 1000

#: Largest total that the books can hold.
MAX_TOTAL: Decimal = MAX_MONEY


_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")


class Percent(fields.Decimal):
    """A percentage from 0 to 100 with up to three places, as text in and out: "21", "7.7"."""

    def __init__(self, **kwargs: Any):
        form = {"type": "string", "pattern": f"^{_PERCENT.pattern}$", "maxLength": 7}
        super().__init__(metadata={"json_schema": form}, **kwargs)
        self.validators.insert(0, validate.Range(min=0, max=100))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or len(value) > 7 or not _PERCENT.fullmatch(value):
            raise ValidationError('Give a percentage as text, such as "21" or "7.7".')
        return Decimal(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> str:
        return f"{Decimal(value).normalize():f}"
