"""Giving back through Stripe."""

import pytest

from chassis.errors import Conflict, ProviderFault


@pytest.fixture
def paid(pay):
    return pay()


@pytest.fixture
def given(stripe):
    """`given()`: what Stripe has given back, in its units, the oldest first."""
    return lambda: sorted(r["amount"] for r in stripe.all("refunds") if r["status"] == "succeeded")


@pytest.fixture
def settled(sql, eventually):
    """`settled()`: waits until no refund is under way; their states."""

    def wait():
        eventually(lambda: not sql("SELECT 1 FROM refunds WHERE status = 'pending'"), timeout=20)
        return [row["status"] for row in sql("SELECT status FROM refunds ORDER BY created_at")]

    return wait


def test_a_part_and_then_the_rest(paid, refund, given, sql):
    """Each is booked by what Stripe calls it."""
    assert refund(paid, "30.00", key="1")["status"] == "partially_refunded"
    assert refund(paid, key="2")["status"] == "refunded"
    assert given() == [3_000, 7_000]
    entries = sql("SELECT provider_reference FROM ledger_entries WHERE kind = 'refund'")
    assert {entry["provider_reference"][:3] for entry in entries} == {"re_"}
    with pytest.raises(Conflict):
        refund(paid, "0.01", key="3")


def test_refunds_at_once_never_give_more_than_was_taken(paid, refund, given, at_once, settled):
    """Ten of 30 of 100: three are given, the others refused."""
    answers = at_once(*[lambda n=n: refund(paid, "30.00", key=str(n)) for n in range(10)])
    assert sum(isinstance(answer, Conflict) for answer in answers) == 7
    assert settled() == ["succeeded"] * 3
    assert given() == [3_000] * 3


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_refund_whose_answer_was_lost_is_given_once(
    paid, refund, given, door, settled, clock, forgotten
):
    """The sweep asks again, also when Stripe has forgotten the key and would give twice."""
    door.fail("error_after", "POST /v1/refunds")
    assert refund(paid, "10.00")["refunded"] == "0.00"
    if forgotten:
        door.forget_keys()
    clock.advance(seconds=15)
    assert settled() == ["succeeded"]
    assert given() == [1_000]


def test_a_refund_that_never_arrived_is_asked_for_again(
    paid, refund, given, door, settled, clock, eventually, sql
):
    """Nobody was there: given once, as soon as somebody is."""
    door.shut()
    refund(paid, "10.00")
    clock.advance(seconds=15)
    eventually(lambda: sql("SELECT 1 FROM refunds WHERE checks > 0"))
    door.open()
    clock.advance(seconds=15)
    assert settled() == ["succeeded"]
    assert given() == [1_000]


def test_a_refund_that_stripe_refuses_has_failed(paid, refund, stripe, sql, reference):
    """Somebody gave all back by hand: 502, the promise is taken back, and nothing is given."""
    stripe.answer("POST", "/v1/refunds", {"payment_intent": reference(paid), "amount": 10_000})
    with pytest.raises(ProviderFault) as fault:
        refund(paid, "10.00")
    assert fault.value.code == "refund_refused"
    (row,) = sql("SELECT status, failure_code FROM refunds")
    assert row == {"status": "failed", "failure_code": "charge_already_refunded"}
    (row,) = sql("SELECT refunding, refunded FROM payments")
    assert (row["refunding"], row["refunded"]) == (0, 0)
    # So that both books end alike.
    stripe.change(stripe.all("refunds")[0]["id"], status="failed")


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_refund_that_takes_days_is_followed_to_its_end(
    paid, refund, stripe, given, settled, sql, clock, door, eventually, outcome, forgotten
):
    """Pending at Stripe is pending here, for as long as it takes, and never asked for anew."""
    stripe.refunds_wait = True
    assert refund(paid, "10.00")["refunded"] == "0.00"
    clock.advance(seconds=15)
    eventually(lambda: sql("SELECT 1 FROM refunds WHERE status = 'pending' AND checks > 0"))
    if forgotten:
        door.forget_keys()
    (made,) = stripe.all("refunds")
    stripe.change(made["id"], status=outcome, failure_reason="lost_or_stolen_card")
    clock.advance(days=3)
    assert settled() == [outcome]
    assert given() == ([1_000] if outcome == "succeeded" else [])
    assert len(stripe.all("refunds")) == 1
    (row,) = sql("SELECT failure_code FROM refunds")
    assert row["failure_code"] == (None if outcome == "succeeded" else "lost_or_stolen_card")
