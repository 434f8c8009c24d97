"""Checkouts that do not move, at the door of staff."""

import pytest

from products.service import InventoryService
from tests.e2e.client import ADDRESS
from tests.e2e.shop import SERVICES, Shop

STUCK = "/api/admin/checkouts?state=stuck"


@pytest.mark.timeout(200)
def test_checkouts_without_inventory_are_seen_and_brought_to_an_end(
    start, config, clock, tmp_path, eventually
):
    """One is only begun, one is paid: staff see both, with why, and can do what is right for each;
    once inventory is back they end, and doing it again changes nothing."""
    outbox = {"outbox": str(tmp_path)}
    # With a hold so brief that its stock is taken before an order is paid.
    containers = start(*SERVICES, notifications=outbox, orders={"reservation_grace": 300})
    shop = Shop(config | {"notifications": outbox})
    buyer, staff = shop.customer(), shop.employee("staff")
    lamp = shop.product(stock=2)
    paid = shop.order(buyer, lamp)
    containers[SERVICES.index(InventoryService)].stop()
    shop.pay(buyer, paid)
    items = [{"product_id": lamp["id"], "quantity": 1}]
    buyer.post("/api/orders", {"items": items, "shipping_address": ADDRESS}, None)
    assert buyer.answer.status_code in (503, 504)

    clock.advance(seconds=181)
    stuck = eventually(lambda: reasons_given(staff.get(STUCK)["items"]), timeout=30)
    assert [(one["state"], one["order_id"] == paid["id"]) for one in stuck] == [
        ("paying", True),
        ("undoing", False),
    ]
    paying, undoing = (f"/api/admin/checkouts/{one['order_id']}" for one in stuck)
    assert stuck[0]["reason"] == "order_not_finished"
    assert stuck[1]["reason"] in ("service_unavailable", "deadline_exceeded")
    assert "line1" not in str(stuck)
    assert staff.post(f"{paying}/undo", None, 409)["code"] == "payment_captured"
    assert staff.post(f"{undoing}/undo", None, None)["code"] in (
        "service_unavailable",
        "deadline_exceeded",
    )

    start(InventoryService)
    for _ in range(2):
        finished = staff.post(f"{paying}/retry", None)
        assert (finished["state"], finished["order_status"]) == ("over", "processing")
        undone = staff.post(f"{undoing}/undo", None)
        assert (undone["state"], undone["order_status"]) == ("over", None)
    assert staff.get("/api/admin/checkouts")["items"] == []
    stock = staff.get(f"/api/inventory/{lamp['id']}")
    assert (stock["on_hand"], stock["reserved"]) == (2, 1)
    assert buyer.get(f"/api/orders/{paid['id']}")["payment_status"] == "paid"


def reasons_given(items):
    """The items, once there are both and it is known why."""
    return items if len(items) == 2 and all(one["reason"] for one in items) else None
