"""Locations, and what moves between them."""

from marshmallow import fields

from chassis.fields import List, Request, Uuid
from contracts.inventory import requests
from contracts.inventory.fields import MAX_LINES, LocationCode
from gateway.schemas.derive import body, query

NewLocation = body("NewLocation", requests.CreateLocation, without=("key", "actor"))
LocationChange = body(
    "LocationChange",
    requests.UpdateLocation,
    "PATCH: what is given changes.",
    without=("code", "version", "actor"),
)
NewTransfer = body(
    "NewTransfer",
    requests.SendTransfer,
    "Stock that leaves one location for another.",
    without=("key", "actor"),
    from_=LocationCode(required=True, data_key="from"),
)
Receipt = body(
    "Receipt",
    requests.ReceiveTransfer,
    "What has arrived; all that is on the way if no items are given.",
    without=("transfer_id", "key", "actor"),
)
TransferQuery = query("TransferQuery", requests.ListTransfers, without=("actor",))
Move = body(
    "Move",
    requests.Move,
    "Units of an order that are shipped from another location.",
    from_=LocationCode(required=True, data_key="from"),
)
Relocation = body(
    "Relocation",
    requests.Relocate,
    without=("order_id", "actor"),
    items=List(fields.Nested(Move), required=True, min=1, max=MAX_LINES),
)


class StockAt(Request):
    location = LocationCode()


class LocationPath(Request):
    code = LocationCode(required=True)


class TransferPath(Request):
    transfer_id = Uuid(required=True)
