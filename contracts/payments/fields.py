"""Fields that both ends of a payment need."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from chassis.fields import String
from contracts.payments.methods import PaymentMethod, parse


class MethodField(fields.Field[PaymentMethod]):
    """A payment method (`contracts.payments.methods`); card numbers are refused."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> PaymentMethod:
        try:
            return parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class ProviderReference(String):
    """What a provider calls a charge or a page of its own."""

    def __init__(self, **kwargs: Any):
        form = validate.Regexp(r"[A-Za-z0-9_]+\Z")
        super().__init__(min=10, max=200, validate=form, **kwargs)
