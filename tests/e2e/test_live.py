"""The stream, through the whole shop."""

from tests.integration.gateway.listening import Stream


def listening(shop, person, last_id=None):
    """An open stream of that person."""
    stream = Stream(shop.config["WEB_SERVER_ADDRESS"], person.token, last_id).head()
    assert stream.status == 200
    assert stream.events(1)[0].event == "ready"
    return stream


def test_the_changes_of_an_order_arrive_as_they_happen(shop):
    """From its placing to its shipping, each with the order's id; others hear nothing of it."""
    buyer, staff = shop.customer(), shop.employee("staff")
    stream = listening(shop, buyer, 0)
    order = shop.order(buyer, shop.product())
    shop.pay(buyer, order)
    staff.patch(f"/api/orders/{order['id']}", {"status": "shipped"})
    told = []
    while sum(event.data["order_id"] == order["id"] for event in told) < 4:
        (event,) = stream.events(1)
        assert event.data["user_id"] == buyer.user_id
        told.append(event)
    assert [event.id for event in told] == list(range(1, len(told) + 1))
    listed = buyer.pages("/api/notifications?limit=100")
    in_feed = {item["id"] for item in listed if item["channel"] == "in_app"}
    assert {event.data["id"] for event in told} <= in_feed
    stream.close()
