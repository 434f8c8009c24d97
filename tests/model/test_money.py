"""Charges, refunds and the ledger, beside a model and a provider with books of its own."""

import collections
import datetime
import uuid
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis.identity import Actor, Role
from chassis.messages import Event
from contracts.payments.enums import FailureCode, MethodType
from contracts.payments.methods import PaymentMethod
from payments import jobs
from payments.charges import commands as charges
from payments.models import Payment, Refund
from payments.providers import Providers
from payments.providers.port import ChargeReport
from payments.providers.recent_answers import RecentAnswers
from payments.refunds import commands as refunds
from payments.refunds import store as refund_store
from payments.views import view_of
from tests.model.provider import Crash, Provider
from tests.model.world import LOG, Machine, outcome

PRICE = Decimal("10.00")
CARD = PaymentMethod(MethodType.CARD, "tok")
BUYER = uuid.UUID(int=7)
SETTINGS = {"call_seconds": 10, "give_up_seconds": 300, "sweep_batch": 50}
CALL_TIME = datetime.timedelta(seconds=10)
ORDER = st.integers(0, 1)
AMOUNT = st.sampled_from((None, Decimal("3.00"), Decimal("5.00"), Decimal("10.00")))
CHARGING = st.sampled_from(
    ("succeeded", "failed", "requires_action", "lost", "never", "crash_before", "crash_after")
)
REFUNDING = st.sampled_from(("done", "done", "refused", "lost", "never"))
#: Which news of a charge change what.
ADVANCES = {
    "pending": {"requires_action", "succeeded", "failed"},
    "requires_action": {"succeeded", "failed"},
    "failed": {"succeeded"},
}

_SUMS = sa.text("""
    SELECT coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0),
           coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)
    FROM ledger_entries WHERE payment_id = :id
""")


class Charge:
    """A payment in the model; `refunds` are lists of amount, state, what the provider did, and
    whether an order has asked."""

    def __init__(self, order, now):
        self.order, self.calling_until = order, now
        self.id, self.status, self.captured, self.superseded = None, "pending", Decimal(0), False
        self.is_unwanted = False
        self.refunds = []

    def sum(self, state):
        return sum((amount for amount, found, *_ in self.refunds if found == state), Decimal(0))

    @property
    def left(self):
        return self.captured - self.sum("succeeded") - self.sum("pending")

    @property
    def is_active(self):
        return self.status != "failed" and not self.superseded

    @property
    def is_open(self):
        return self.status in ("pending", "requires_action")

    def is_being_charged(self, now):
        return self.status == "pending" and self.calling_until > now


def _key(charge):
    return f"payment-{charge.id}"


class Money(Machine):
    """Model: the payments of two orders, their refunds, and what the keys of refunds stand for."""

    @initialize()
    def open_till(self):
        self.orders = [uuid.uuid4(), uuid.uuid4()]
        self.charges, self.keys = {}, {}
        self.expected = collections.Counter()
        self.provider = Provider()
        self.context = SimpleNamespace(
            db=SimpleNamespace(begin=self.begin, autocommit=self.autocommit),
            events=SimpleNamespace(record=self.publish, event=self.event, hand_over=self.hand_over),
            clock=self.clock,
            settings=SETTINGS,
            log=LOG,
            network=None,
            providers=Providers(self.provider),
            recent_answers=RecentAnswers(),
        )

    def event(self, kind, facts):
        """The row of an event that a statement records."""
        return {
            "event_id": uuid.uuid4(),
            "source": "payments",
            "type": kind,
            "payload": {name: str(value) for name, value in facts.items()},
            "headers": {},
            "occurred_at": self.now,
        }

    def hand_over(self, row):
        self.told.append((row["type"], row["payload"]))

    def _shown(self, charge):
        return view_of(self.connection, charge.id)

    # --- charges

    @rule(
        order=ORDER,
        key=st.sampled_from("123"),
        amount=st.sampled_from((PRICE, PRICE, PRICE, Decimal("11.00"))),
        script=CHARGING,
    )
    def charge(self, order, key, amount, script):
        """One payment for each key, one active payment for each order."""
        self._charge(order, key, amount, script)

    @precondition(lambda self: self.charges)
    @rule(data=st.data(), script=CHARGING)
    def charge_again(self, data, script):
        """A repeat: it takes up what was interrupted, once nobody else can be at it."""
        order, key = data.draw(st.sampled_from(list(self.charges)))
        self._charge(order, key, PRICE, script)

    def _charge(self, order, key, amount, script):
        known = self.charges.get((order, key))
        amount = PRICE if known is None else amount
        self.provider.charging = script
        expected = self._charging(known, order, amount)
        report = known and self._book(known)
        try:
            answer = outcome(
                charges.charge, self.context, order_id=self.orders[order], user_id=BUYER,
                amount=amount, currency="EUR", method=CARD, key=key, order_number=None,
            )  # fmt: skip
        except Crash:
            assert expected == "asked"
            answer = None
        if expected not in ("asked", "shown"):
            assert answer == expected
            return
        if known is None:
            known = self.charges[order, key] = Charge(order, self.now)
            found = sa.select(Payment.id).filter_by(order_id=self.orders[order], key=key)
            known.id = self.connection.scalar(found)
        if expected == "asked":
            self._asked(known, script, report)
        if answer is not None:
            assert (answer["id"], answer["status"]) == (known.id, known.status)

    def _charging(self, known, order, amount):
        if known is not None and amount != PRICE:
            return "idempotency_key_reused"
        if known is not None:
            waits = known.status == "pending" and known.calling_until <= self.now
            return "asked" if waits and not known.is_unwanted else "shown"
        active = self._active(order)
        if active and active.is_open:
            self._unwanted(active, replaced=True)
        if active and active.is_active:
            return "already_paid" if active.captured else "payment_active"
        return "asked"

    def _active(self, order):
        active = [one for one in self.charges.values() if one.order == order and one.is_active]
        return active[0] if active else None

    def _unwanted(self, charge, replaced=False):
        """The model of cancelling what is open: by nobody while it is being charged."""
        being_charged = charge.is_being_charged(self.now)
        charge.is_unwanted = charge.is_unwanted or not (replaced and being_charged)
        if being_charged:
            return
        charge.calling_until = self.now + CALL_TIME
        if self.provider.charging != "never":
            report = self._book(charge)
            came = report is not None and report.status == "succeeded"
            self._learn(charge, "succeeded" if came else "failed")

    def _asked(self, charge, script, report):
        """`report`: what the provider knew before; then nobody asks it for the money again."""
        if report is not None:
            self._learn(charge, report.status)
        elif script.startswith("crash"):
            charge.calling_until = self.now + CALL_TIME
        elif script in ("lost", "never"):
            charge.calling_until = self.now
        else:
            self._learn(charge, script)

    def _book(self, charge):
        return self.provider.charges.get(_key(charge))

    def _learn(self, charge, status):
        """The model of settling: news that are old or repeated change nothing."""
        if charge.captured or status not in ADVANCES.get(charge.status, ()):
            return
        rivals = [
            one
            for one in self.charges.values()
            if one.order == charge.order and one.is_active and one is not charge
        ]
        charge.status = "failed" if rivals else status
        if status == "failed":
            told = "payment_cancelled" if charge.is_unwanted else "payment_failed"
            self.expected[told] += 1
        if status == "succeeded":
            charge.captured = PRICE
            charge.superseded = bool(rivals)
            if rivals:
                charge.refunds.append([PRICE, "pending", None, False])
            else:
                self.expected["payment_succeeded"] += 1

    @rule(order=ORDER, script=st.sampled_from(("never", "done", "done")))
    def order_is_cancelled(self, order, script):
        """What waits is cancelled; what is being charged later; what has been paid stays."""
        self.provider.charging = script
        open_one = self._active(order)
        if open_one and open_one.is_open:
            self._unwanted(open_one)
        done = charges.cancel(self.context, self.orders[order], FailureCode.ORDER_CANCELLED)
        assert done == (open_one is None or not open_one.is_open)

    def _choose(self, data):
        return data.draw(st.sampled_from(list(self.charges.values())))

    @precondition(lambda self: self.charges)
    @rule(data=st.data(), status=st.sampled_from(("requires_action", "succeeded", "failed")))
    def news(self, data, status):
        """The provider tells, late and repeatedly; what it once took stays taken."""
        charge = self._choose(data)
        report = self._book(charge)
        if report is None:
            return
        if report.status != "succeeded":
            self.provider.change(_key(charge), status)
        told = replace(report, status=status)
        assert charges.settle(self.context, self._shown(charge), told)["id"] == charge.id
        self._learn(charge, status)

    @precondition(lambda self: self.charges)
    @rule(data=st.data())
    def wrong_news(self, data):
        """Another amount than was asked for is never booked."""
        charge = self._choose(data)
        report = ChargeReport("succeeded", PRICE + 1, "EUR", "ref")
        got = outcome(charges.settle, self.context, self._shown(charge), report)
        if not charge.captured and "succeeded" in ADVANCES.get(charge.status, ()):
            assert got == "provider_mismatch"

    # --- refunds

    @precondition(lambda self: self.charges)
    @rule(data=st.data(), amount=AMOUNT, key=st.sampled_from((None, "a", "b")), script=REFUNDING)
    def refund(self, data, amount, key, script):
        """In parts, once for each key, never more than was taken."""
        captured = [one for one in self.charges.values() if one.captured]
        charge = data.draw(st.sampled_from(captured)) if captured else self._choose(data)
        asked, known = (charge, amount), self.keys.get(key) if key else None
        self.provider.refunding = script
        if known is None:
            expected = self._opening(charge, amount)
            refund = expected is None and self._open(charge, amount)
            if refund:
                expected = self._end(charge, refund, script)
                self.keys |= {key: (asked, refund)} if key else {}
        elif known[0] != asked:
            expected = "idempotency_key_reused"
        else:
            expected = "refund_refused" if known[1][1] == "failed" else None
        got = outcome(
            refunds.refund,
            self.context,
            payment_id=charge.id,
            amount=amount,
            reason="x",
            key=key,
            actor=Actor(BUYER, Role.CUSTOMER),
        )
        if expected is not None:
            assert got == expected
            return
        assert got["replayed"] == (known is not None)
        assert (got["status"], got["refunded"]) == (charge.status, charge.sum("succeeded"))

    def _opening(self, charge, amount):
        if not charge.left:
            return "not_refundable"
        return "refund_too_large" if amount is not None and amount > charge.left else None

    def _open(self, charge, amount, by_order=False):
        refund = [charge.left if amount is None else amount, "pending", None, by_order]
        charge.refunds.append(refund)
        return refund

    def _end(self, charge, refund, script):
        """The model of a refund's end, as far as it is told; the code of a refusal."""
        if script != "never":
            refund[2] = refund[2] or ("refused" if script == "refused" else "done")
        if script in ("lost", "never"):
            return None
        refund[1] = "succeeded" if refund[2] == "done" else "failed"
        if refund[1] == "failed":
            self.expected["refund_failed"] += refund[3]
            return "refund_refused"
        back = charge.sum("succeeded")
        if not charge.superseded:
            charge.status = "refunded" if back == charge.captured else "partially_refunded"
            self.expected["payment_refunded"] += 1
        return None

    @rule()
    def refunds_are_told_again(self):
        """Whoever has asked for a refund as well gets the same answer; it is booked once."""
        self.provider.refunding = "done"
        settled = sa.select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id)
        with self.begin() as session:
            rows = session.execute(settled.where(Refund.status != "pending"))
            again = [refund_store.pending(refund, payment) for refund, payment in rows]
        for pending in again:
            refunds.complete(self.context, pending)

    @rule(order=ORDER, amount=AMOUNT.filter(bool), script=REFUNDING)
    def cancelled(self, order, amount, script):
        """An order wants its money back: what is left of it, of the payment that counts."""
        paid = [
            one
            for one in self.charges.values()
            if one.order == order and one.captured and not one.superseded
        ]
        due = min(amount, PRICE - paid[0].sum("succeeded")) if paid else 0
        self.provider.refunding = script
        payment_id = paid[0].id if paid else uuid.uuid4()
        got = outcome(self._give_back, order, payment_id, amount)
        if due and due > paid[0].left:
            assert got == "refund_in_flight"
        elif due:
            self._end(paid[0], self._open(paid[0], due, by_order=True), script)
        else:
            assert got is None

    def _give_back(self, order, payment_id, amount):
        due = {
            "request_id": uuid.uuid4(), "order_id": self.orders[order], "payment_id": payment_id,
            "amount": amount, "currency": "EUR", "reason": "order_cancelled",
        }  # fmt: skip
        event = Event(uuid.uuid4(), "orders", "refund_due", self.now, due)
        with self.begin() as session:
            pending = refunds.open_for_order(self.context, session, event)
            assert refunds.open_for_order(self.context, session, event) is None  # a repeat
        return pending and refunds.complete(self.context, pending)

    # --- time

    @rule(seconds=st.sampled_from((1, 10)))
    def wait(self, seconds):
        self.later(seconds=seconds)

    @rule(script=REFUNDING)
    def sweep(self, script):
        """When everything is due: whatever the provider knows is settled, the rest has failed."""
        self.later(seconds=301)
        self.provider.refunding, self.provider.charging = script, None
        pending = [
            (charge, refund)
            for charge in self.charges.values()
            for refund in charge.refunds
            if refund[1] == "pending"
        ]
        jobs.sweep(self.context)
        for charge in list(self.charges.values()):
            if charge.status in ("pending", "requires_action"):
                report = self._book(charge)
                self._learn(charge, report.status if report else "failed")
        for charge, refund in pending:
            self._end(charge, refund, script)

    # --- what holds after every step

    @invariant()
    def payments_are_those_of_the_model(self):
        """Their state, and the totals that the ledger accounts for; never more back than taken."""
        rows = {row.id: row for row in self.connection.execute(sa.select(Payment.__table__))}
        for charge in self.charges.values():
            row = rows.pop(charge.id)
            back, waiting = charge.sum("succeeded"), charge.sum("pending")
            assert (row.status, row.superseded) == (charge.status, charge.superseded)
            assert (row.captured, row.refunded, row.refunding) == (charge.captured, back, waiting)
            assert row.refunded + row.refunding <= row.captured
            assert self.connection.execute(_SUMS, {"id": row.id}).one() == (charge.captured, back)
            assert back <= self.provider.given_back(row.provider_reference)
        assert rows == {}

    @invariant()
    def an_order_is_paid_once(self):
        for order in range(2):
            mine = [one for one in self.charges.values() if one.order == order]
            assert len([one for one in mine if one.is_active]) <= 1

    @invariant()
    def the_world_was_told_once(self):
        assert collections.Counter(kind for kind, _ in self.told) == +self.expected


def test_money_is_as_in_the_model(walk):
    """Whatever is charged, refunded, lost, late or repeated: each cent is where it should be."""
    walk(Money, "payments")
