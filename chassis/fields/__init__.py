"""Marshmallow fields and base schemas with the bounds that every border needs.

Whatever has a length says its greatest, and that is checked before anything else is looked at: the
items of a list that is too long are not loaded, and a text that is too long is not searched. The
fields take what `chassis.web.json_schema` publishes of them, and nothing else.
"""

from chassis.fields.addresses import AddressFields, PhoneNumber, PostalAddress
from chassis.fields.collections import Dict, List
from chassis.fields.numbers import (
    MAX_MONEY,
    MONEY,
    Boolean,
    BooleanText,
    Currency,
    CurrencyInUse,
    Id,
    Integer,
    IntegerText,
    Money,
    MoneyDue,
    Quantity,
)
from chassis.fields.schemas import (
    Answer,
    EventPayload,
    Expected,
    Page,
    PlainAnswer,
    Request,
    items_of,
    keyed,
    page_of,
)
from chassis.fields.texts import Choice, Country, Key, SingleLine, String, Text, Url
from chassis.fields.values import TIMESTAMP, UUID, ActorField, Timestamp, Uuid

__all__ = [
    "MAX_MONEY",
    "MONEY",
    "TIMESTAMP",
    "UUID",
    "ActorField",
    "AddressFields",
    "Answer",
    "Boolean",
    "BooleanText",
    "Choice",
    "Country",
    "Currency",
    "CurrencyInUse",
    "Dict",
    "EventPayload",
    "Expected",
    "Id",
    "Integer",
    "IntegerText",
    "Key",
    "List",
    "Money",
    "MoneyDue",
    "Page",
    "PhoneNumber",
    "PlainAnswer",
    "PostalAddress",
    "Quantity",
    "Request",
    "SingleLine",
    "String",
    "Text",
    "Timestamp",
    "Url",
    "Uuid",
    "items_of",
    "keyed",
    "page_of",
]
