"""The timeline of an order, composed of what orders and notifications know."""

from gateway.timeline import with_mails

PLACED = {
    "at": "2026-03-01T10:00:00.250000+00:00",
    "kind": "order",
    "cause": "placed",
    "actor": "customer",
    "detail": {"total": "10.00"},
    "trace_id": "t1",
}
PAID = PLACED | {"at": "2026-03-01T10:05:00+00:00", "cause": "paid", "detail": {}}


def sent(at, notification_id):
    return {"at": at, "notification_id": notification_id, "channel": "email", "trace_id": "t2"}


def test_mails_stand_where_they_were_sent():
    """By the moment, whatever precision and offset it is written with; as orders would say it."""
    first, last = sent("2026-03-01T10:00:02+00:00", "n1"), sent("2026-03-01T11:06:00+01:00", "n2")
    timeline = with_mails([PLACED, PAID], [first, last])
    assert [entry.get("cause") for entry in timeline] == [
        "placed", "notification_sent", "paid", "notification_sent",
    ]  # fmt: skip
    assert timeline[1] == {
        "at": "2026-03-01T10:00:02+00:00",
        "kind": "mail",
        "cause": "notification_sent",
        "actor": "system",
        "detail": {"channel": "email", "notification_id": "n1"},
        "trace_id": "t2",
    }


def test_what_orders_has_is_not_told_twice():
    """Earlier versions have written the mails into the timeline itself."""
    (written,) = with_mails([], [sent(PAID["at"], "n1")])
    written |= {"at": "2026-03-01T10:05:01+00:00", "trace_id": "t0"}
    new = sent("2026-03-01T10:06:00+00:00", "n2")
    timeline = with_mails([PLACED, written], [sent(PAID["at"], "n1"), new])
    assert timeline[:2] == [PLACED, written]
    assert [entry["detail"]["notification_id"] for entry in timeline[1:]] == ["n1", "n2"]


def test_the_order_of_orders_stays():
    """It has the order in which things were written; clocks of several processes may differ."""
    earlier = PLACED | {"at": "2026-03-01T09:59:59+00:00", "cause": "reserved"}
    assert with_mails([PLACED, earlier], []) == [PLACED, earlier]
