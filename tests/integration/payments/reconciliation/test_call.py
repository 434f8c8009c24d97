"""The reconciliation on demand and every hour, with the simulator."""

import contextlib
import uuid

import pytest
from nameko.testing.services import entrypoint_hook
from structlog.testing import capture_logs

from chassis.clock import Clock
from chassis.errors import Fault, Forbidden, Invalid
from payments.service import PaymentsService
from tests.integration.payments.conftest import STAFF
from tests.integration.payments.reconciliation.conftest import DAY

ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}


def span(days=1):
    now = Clock.source()
    return {"since": (now - days * DAY).isoformat(), "until": now.isoformat()}


def test_the_call(sale, payments, sql, clock):
    """Against the simulator: nothing, then what somebody has done to its books."""
    payment = sale()
    clock.advance(minutes=6)
    report = payments.reconcile(**span(), actor=ADMIN)
    assert (report["movements"], report["findings"], report["more"]) == (2, [], 0)
    assert report["until"] < span()["until"]
    sql("UPDATE simulator_refunds SET amount = 29.00")
    (finding,) = payments.reconcile(**span(), actor=ADMIN)["findings"]
    assert (finding["problem"], finding["payment_id"]) == ("amount_differs", payment["id"])
    assert finding["ours"] == {"amount": "30.00", "currency": "EUR"}
    assert finding["theirs"] == {"amount": "29.00", "currency": "EUR"}
    assert finding["advice"].startswith("Both books")


def test_who_may_call(payments, order):
    """Admins and the system; not the staff, and not customers."""
    assert payments.reconcile(**span())["findings"] == []
    for who in (STAFF, {"user_id": order["user_id"], "role": "customer"}):
        with pytest.raises(Forbidden):
            payments.reconcile(**span(), actor=who)


@pytest.mark.parametrize("days", [0, -1, 31.001])
def test_a_time_that_is_no_time(payments, days):
    """It has to be one, of 31 days at most."""
    with pytest.raises(Invalid) as fault:
        payments.reconcile(**span(days))
    assert set(fault.value.errors) == {"until"}
    assert payments.reconcile(**span(31))["movements"] == 0


def test_the_timer_tells_the_log(service, sale, sql, clock):
    """How many of each problem, and nothing about whose."""
    sale(), sale()
    clock.advance(hours=1)
    sql("UPDATE simulator_refunds SET amount = 29.00")
    with capture_logs() as lines, entrypoint_hook(service, "compare_books") as compare:
        compare()
    told = [line for line in lines if line["event"].startswith("reconcil")]
    assert [{k: v for k, v in line.items() if k != "log_level"} for line in told] == [
        {"event": "reconciliation_found", "problem": "amount_differs", "count": 2},
        {"event": "reconciled", "movements": 4, "findings": 2},
    ]


#: How likely each fault of the simulator is in the test below.
CHANCES = {
    "declined": 0.1,
    "challenge": 0.1,
    "partial_capture": 0.1,
    "timeout_before": 0.15,
    "timeout_after": 0.15,
    "down": 0.1,
}


def test_nothing_is_left_of_a_bad_day(start, call, clock, sql, eventually):
    """Whatever the provider does, and however late we hear of it: the books agree in the end."""
    start(
        PaymentsService,
        payments={"provider": "simulator", "simulator": {"seed": 1, "chances": CHANCES}},
    )
    for number in range(24):
        order = {"order_id": str(uuid.uuid4()), "user_id": str(uuid.uuid4()), "key": "1"}
        method = {"type": "card", "token": "tok_visa"}
        payment = call.payments.charge(**order, amount="10.00", currency="EUR", method=method)
        if number % 2:
            with contextlib.suppress(Fault):
                call.payments.refund(payment_id=payment["id"], amount="4.00", reason="x")

    def is_settled():
        clock.advance(minutes=6)
        open_payments = "SELECT 1 FROM payments WHERE status IN ('pending', 'requires_action')"
        return not sql(f"{open_payments} UNION SELECT 1 FROM refunds WHERE status = 'pending'")

    eventually(is_settled, timeout=60, every=1.1)
    clock.advance(minutes=6)
    report = call.payments.reconcile(**span())
    booked = sql("SELECT count(*) AS count FROM ledger_entries")[0]["count"]
    assert (report["findings"], report["movements"]) == ([], booked)
    assert booked > 15
