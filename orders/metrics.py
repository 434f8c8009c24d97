"""What of checkouts is told to Prometheus (`chassis.gauges`)."""

from sqlalchemy import func, select

from chassis.gauges import Query
from orders.checkout import admin as checkout_admin
from orders.checkout import store as checkout_store

_under_way = checkout_admin.under_way().subquery()
_age = func.extract("epoch", checkout_admin.NOW - func.min(_under_way.c.since))

#: By the same measure of being stuck as staff see (`orders.checkout.admin`).
CHECKOUTS = Query(
    select(
        _under_way.c.state,
        func.count().label("checkouts"),
        func.count().filter(_under_way.c.is_stuck).label("checkouts_stuck"),
        _age.label("checkout_oldest_seconds"),
    ).group_by(_under_way.c.state),
    {
        "checkouts": "Checkouts under way.",
        "checkouts_stuck": "Those of them that have taken three times their patience.",
        "checkout_oldest_seconds": "Age of the oldest of them; 0 when there is none.",
    },
    labels={"state": (checkout_store.OPEN, checkout_store.UNDOING, checkout_admin.PAYING)},
)
