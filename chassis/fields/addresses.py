"""Postal addresses."""

from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from chassis import addresses, phones
from chassis.fields.schemas import Request
from chassis.fields.texts import Country, SingleLine

_RECIPIENT = ("name", "company", "phone")


class PhoneNumber(SingleLine):
    """A phone number as people write it. Marks of direction come along when it is copied, and are
    left out; what it means depends on a country (`chassis.phones`)."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=phones.MAX_LENGTH, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and len(value) <= self.max:
            value = phones.without_marks(value)
        return super()._deserialize(value, attr, data, **kwargs)


class AddressFields(Request):
    """The parts of a postal address, by themselves: whether they go together, another has to see
    (`chassis.addresses`)."""

    name = SingleLine(max=200, allow_none=True)
    company = SingleLine(max=200, allow_none=True)
    phone = PhoneNumber(allow_none=True)
    line1 = SingleLine(max=200, required=True)
    line2 = SingleLine(max=200, load_default=None, allow_none=True)
    city = SingleLine(max=100, load_default=None, allow_none=True)
    region = SingleLine(max=100, load_default=None, allow_none=True)
    postal_code = SingleLine(max=20, load_default=None, allow_none=True)
    country = Country(required=True)

    @post_load
    def _without_what_it_has_not(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        # Services of before know no recipient: what is not given is not sent on.
        return {n: v for n, v in data.items() if v is not None or n not in _RECIPIENT}


class PostalAddress(AddressFields):
    """Where something is sent to. `city`, `region` and `postal_code` are required where the
    addresses of the country have them; `name` is the recipient's."""

    @validates_schema(skip_on_field_errors=True)
    def _is_of_its_country(self, data: dict[str, Any], **kwargs: Any) -> None:
        if faults := addresses.faults_in(data):
            raise ValidationError({name: [fault] for name, fault in faults.items()})

    @post_load
    def _as_kept(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return addresses.as_kept(data)
