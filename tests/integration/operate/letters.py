"""What the tests of dead letters have in common."""

import datetime

import orjson

BOX = "notifications.dead-letters"
PAID = "evt-orders-order_paid--notifications.on_order_paid"
SHIPPED = "evt-orders-order_shipped--notifications.on_order_shipped"
NOW = datetime.datetime.now(datetime.UTC)


def texts(found):
    return [orjson.loads(body)["text"] for _, _, body in found]
