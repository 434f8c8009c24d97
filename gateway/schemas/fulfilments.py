"""Parcels of orders, and items that are cancelled."""

from marshmallow import fields

from chassis.fields import List, Request, Uuid
from contracts.inventory.fields import MAX_LINES
from contracts.orders import requests
from gateway.schemas.derive import body, query

LineUnits = body("LineUnits", requests.Units)
NewFulfilment = body(
    "NewFulfilment",
    requests.Fulfil,
    "Without `items`, all that is left to be shipped.",
    without=("order_id", "key", "actor"),
    items=List(fields.Nested(LineUnits), min=1, max=MAX_LINES),
)
FulfilmentChange = body(
    "FulfilmentChange",
    requests.UpdateFulfilment,
    without=("fulfilment_id", "actor", "version"),
)
FulfilmentQuery = query("FulfilmentQuery", requests.ListFulfilments, without=("order_id", "actor"))
ItemCancellation = body(
    "ItemCancellation",
    requests.CancelItems,
    without=("order_id", "key", "actor"),
    items=List(fields.Nested(LineUnits), min=1, max=MAX_LINES, required=True),
)


class FulfilmentPath(Request):
    fulfilment_id = Uuid(required=True)
