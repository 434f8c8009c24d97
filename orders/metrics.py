"""What of checkouts is told to Prometheus (`chassis.gauges`)."""

from sqlalchemy import func, select

from chassis.gauges import Query
from contracts.orders.enums import CheckoutState
from orders.checkout.queries import NOW, UNDER_WAY

CHECKOUTS = Query(
    select(
        UNDER_WAY.c.state,
        func.count().label("checkouts"),
        func.count().filter(UNDER_WAY.c.is_stuck).label("checkouts_stuck"),
        func.extract("epoch", NOW - func.min(UNDER_WAY.c.since)).label("checkout_oldest_seconds"),
    ).group_by(UNDER_WAY.c.state),
    {
        "checkouts": "Checkouts under way.",
        "checkouts_stuck": "Those of them that have taken three times their patience.",
        "checkout_oldest_seconds": "Age of the oldest of them; 0 when there is none.",
    },
    labels={"state": tuple(CheckoutState)},
)
