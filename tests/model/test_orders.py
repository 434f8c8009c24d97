"""An order's life and its money, beside a model with its own table of transitions."""

import datetime
import uuid
from decimal import Decimal
from types import SimpleNamespace

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis.errors import NotFound, Unavailable
from chassis.identity import Actor, Role
from contracts.inventory.errors import OutOfStock
from contracts.payments import answers
from orders import event_handlers, jobs
from orders.models import Order, OrderLine
from orders.order import commands as order_commands
from orders.payment import commands as payment_commands
from orders.payment import finishing
from orders.payment.refunds import Payment
from tests.model.world import LOG, START, Machine, outcome

PAYMENT = answers.Payment()
#: What is null of a payment that nothing was wrong with.
NO_MORE = {"action_url": None, "failure_code": None}
TOTAL = Decimal("20.00")
OWNER, STRANGER = (Actor(uuid.UUID(int=n), Role.CUSTOMER) for n in (1, 2))
STAFF, ADMIN = Actor(uuid.UUID(int=3), Role.STAFF), Actor(uuid.UUID(int=4), Role.ADMIN)
#: One order: with more of them walks get less far.
PLACE = st.just(0)
#: What inventory says when the paid goods are taken.
STOCK = st.sampled_from(("there", "away", "gone"))
#: No walk takes so long.
LONG = datetime.timedelta(days=30)
WINDOW = datetime.timedelta(minutes=30)
PATIENCE, RECHECK = datetime.timedelta(seconds=60), datetime.timedelta(seconds=15)
#: Which step people may ask for: by whom, and with which states of the money.
ANY = {"unpaid", "paid", "partially_refunded", "refunded"}
STEPS = {
    ("pending", "cancelled"): ({OWNER, STAFF}, ANY),
    ("processing", "cancelled"): ({OWNER, STAFF}, ANY),
    ("processing", "shipped"): ({STAFF}, {"paid", "partially_refunded"}),
    ("shipped", "delivered"): ({STAFF}, ANY),
}
#: The steps of an order that it tells of itself.
STEPS_TOLD = {"order_paid", "order_cancelled"}


class Inventory:
    def __init__(self):
        self.stock = "there"

    def commit(self, order_id):
        if self.stock == "gone":
            raise OutOfStock
        if self.stock == "away":
            raise Unavailable

    def allocation(self, order_id):
        """Of where things lie nobody knows, so a parcel leaves from the main location."""
        raise NotFound


class Payments:
    """`made`: the payments of each order, newest first; `next`: what becomes of the next charge."""

    def __init__(self):
        self.made, self.next = {}, "succeeded"

    def charge(self, order_id, user_id, amount, currency, method, key, order_number):
        payment = {
            "id": uuid.uuid4(), "order_id": order_id, "user_id": user_id, "status": self.next,
            "amount": amount, "currency": currency,
        }  # fmt: skip
        if self.next == "away":
            raise Unavailable
        self.made.setdefault(order_id, []).insert(0, payment)
        return self._shown(payment)

    def cancel(self, order_id, actor):
        """What waits is cancelled by and by."""
        return {"done": False}

    def list(self, order_id, limit, actor):
        return {"items": [self._shown(one) for one in self.made.get(order_id, ())], "next": None}

    def _shown(self, payment):
        shown = PAYMENT.dump(payment | {"refunded": Decimal(0), "created_at": START})
        return shown | {"provider": "simulator", "test_mode": True} | NO_MORE


class Life:
    """An order in the model. `receipts`: by payment, what has gone back, how much of it by
    hand, and how much we asked for, if we did."""

    def __init__(self, is_held):
        self.is_held = is_held
        self.id, self.status, self.money = uuid.uuid4(), "pending", "unpaid"
        self.payment, self.paying_since, self.recheck_at = None, None, None
        self.hidden, self.version = False, 1
        self.receipts, self.told = {}, []

    def move(self, status, event=None):
        """`event`: of the order; of what its parcels do they tell by themselves."""
        self.status = status
        self.version += 1
        if event is not None:
            self.told.append((event, self.version))

    def cancel(self, now):
        """What is being paid is looked after soon."""
        self.move("cancelled", "order_cancelled")
        if self.paying_since is not None:
            self.recheck_at = min(self.recheck_at, max(now, self.paying_since + RECHECK))

    def receipt(self, payment_id):
        empty = SimpleNamespace(back=Decimal(0), by_hand=Decimal(0), asked=None)
        return self.receipts.setdefault(payment_id, empty)

    def give_back(self, payment_id, amount):
        receipt = self.receipt(payment_id)
        if receipt.asked is None:
            receipt.asked = max(amount - receipt.by_hand, Decimal(0))

    def count_refunds(self):
        back = self.receipt(self.payment).back
        self.money = "refunded" if back >= TOTAL else "partially_refunded" if back else "paid"


class Lives(Machine):
    """Model: an order, and what came for it."""

    @initialize(is_held=st.booleans())
    def place(self, is_held):
        """`is_held`: until inventory has heard of any payment; else its stock is taken before."""
        self.inventory, self.payments = Inventory(), Payments()
        self.shop = SimpleNamespace(
            db=self, clock=self.clock, log=LOG,
            events=SimpleNamespace(record=self.publish, event=self.event, hand_over=self.hand_over),
            settings={"payment_recheck": 15, "payment_patience": 60}, trace_id=None, network=None,
            inventory=self.inventory, payments=self.payments,
        )  # fmt: skip
        self.lives = [Life(is_held)]
        for life in self.lives:
            with self.begin() as session:
                session.add_all(self._rows(life))

    def event(self, kind, facts):
        """The row of an event that a statement records."""
        return {
            "event_id": uuid.uuid4(),
            "source": "orders",
            "type": kind,
            "payload": facts,
            "headers": {},
            "occurred_at": self.now,
        }

    def hand_over(self, row):
        self.told.append((row["type"], row["payload"]))

    def _rows(self, life):
        yield Order(
            id=life.id, user_id=OWNER.user_id, status="pending", payment_status="unpaid",
            subtotal=TOTAL, net=TOTAL, total=TOTAL, currency="EUR", prices_include_tax=False,
            shipping_address={}, fingerprint="", created_at=self.now, updated_at=self.now,
            expires_at=self.now + WINDOW, version=1,
            held_until=self.now + WINDOW + (LONG if life.is_held else PATIENCE),
        )  # fmt: skip
        yield OrderLine(
            order_id=life.id, line=1, variant_id=1, product_id=1, name="Kettle", quantity=1,
            unit_price=TOTAL, net=TOTAL, total=TOTAL,
        )  # fmt: skip

    # --- money comes

    @rule(
        place=PLACE,
        ends=st.sampled_from(("succeeded", "succeeded", "failed", "pending", "away")),
        stock=STOCK,
    )
    def pay(self, place, ends, stock):
        """Only a pending order, in time, that no money has come for."""
        self._pay(place, ends, stock)

    @precondition(
        lambda self: (
            self.lives[0].status == "pending"
            and not self.lives[0].payment
            and not self.lives[0].is_held
        )
    )
    @rule(too_late=st.booleans())
    def pay_and_break_off(self, too_late):
        """The money is there, the goods not yet taken: nobody cancels it, nor does time."""
        self._pay(0, "succeeded", "away")
        if too_late:
            self.now = max(self.now, START + WINDOW) + PATIENCE
        self._expire()
        self._cancel(self.lives[0], OWNER)

    def _pay(self, place, ends, stock):
        life = self.lives[place]
        self.payments.next, self.inventory.stock = ends, stock
        if life.hidden:
            expected = "not_found"
        elif life.payment is not None:
            expected = "already_paid"
        elif life.status != "pending" or self.now >= START + WINDOW:
            expected = "invalid_transition"
        else:
            expected = "unavailable" if ends == "away" else None
            life.paying_since, life.recheck_at = self.now, self.now + RECHECK
        got = outcome(payment_commands.pay, self.shop, life.id, {}, None, OWNER)
        if expected is not None:
            assert got == expected
            return
        assert got["status"] == ends
        if ends == "succeeded":
            self._finish(life, self.payments.made[life.id][0], stock)
        elif ends == "failed" and life.payment is None:
            life.paying_since = life.recheck_at = None

    @precondition(lambda self: self.payments.made)
    @rule(data=st.data(), stock=STOCK)
    def money_is_told(self, data, stock):
        """The event of a payment: late, repeated, or after the order has ended."""
        made = [one for some in self.payments.made.values() for one in some]
        payment = data.draw(st.sampled_from(made))
        payment["status"] = "succeeded"
        self._tell(payment, stock)

    @rule(place=PLACE, stock=STOCK)
    def wrong_money_is_told(self, place, stock):
        """A payment of another amount than the order's."""
        life = self.lives[place]
        self._tell(
            {"id": uuid.uuid4(), "order_id": life.id, "amount": TOTAL - 1, "currency": "EUR"}, stock
        )

    def _tell(self, payment, stock):
        self.inventory.stock = stock
        (life,) = (one for one in self.lives if one.id == payment["order_id"])
        got = outcome(finishing.finish, self.shop, Payment.of_answer(payment))
        assert got == self._finish(life, payment, stock)

    def _finish(self, life, payment, stock):
        """The model of it; the code of what stops it half-way."""
        if payment["amount"] != TOTAL or life.payment not in (None, payment["id"]):
            life.give_back(payment["id"], payment["amount"])
            return None
        if life.is_held:
            stock = "there"
        elif life.status == "pending":
            life.payment = payment["id"]
            if life.paying_since is None:
                life.paying_since, life.recheck_at = self.now, self.now + RECHECK
            if stock == "away":
                return "unavailable"
        if life.money == "unpaid":
            life.payment, life.paying_since, life.recheck_at = payment["id"], None, None
            life.count_refunds()
            if life.status == "cancelled":
                life.version += 1
            elif stock == "there":
                life.move("processing", "order_paid")
            else:
                life.move("cancelled", "order_cancelled")
        if life.status == "cancelled":
            life.give_back(payment["id"], TOTAL)
        return None

    @rule(place=PLACE)
    def stock_is_lost(self, place):
        """Inventory heard too late of the payment; what is shipped by then is not undone."""
        life = self.lives[place]
        with self.begin() as session:
            event_handlers.stock_lost(self.shop, session, {"order_id": life.id})
        if life.status == "processing":
            life.cancel(self.now)
            life.give_back(life.payment, TOTAL)

    @precondition(lambda self: self.payments.made)
    @rule(data=st.data(), back=st.sampled_from((Decimal("5.00"), Decimal("12.00"), TOTAL)))
    def refund_is_told(self, data, back):
        """In any order, and before the payment itself."""
        payment = data.draw(
            st.sampled_from([p for some in self.payments.made.values() for p in some])
        )
        (life,) = (one for one in self.lives if one.id == payment["order_id"])
        is_ours = life.receipt(payment["id"]).asked and data.draw(st.booleans())
        self._refund(life, payment["id"], back, "order_cancelled" if is_ours else None)

    def _refund(self, life, payment_id, back, reason=None):
        facts = {"order_id": life.id, "payment_id": payment_id, "amount": back, "reason": reason}
        with self.begin() as session:
            event_handlers.payment_refunded(self.shop, session, facts | {"refunded_total": back})
        receipt, before = life.receipt(payment_id), life.money
        receipt.back = max(receipt.back, back)
        receipt.by_hand += 0 if reason else back
        if life.payment == payment_id and life.money != "unpaid":
            life.count_refunds()
            life.version += life.money != before

    @precondition(lambda self: self.lives[0].status == "processing" and not self.lives[0].hidden)
    @rule()
    def refund_all_before_it_is_shipped(self):
        """What was given back in full is not shipped."""
        life = self.lives[0]
        self._refund(life, life.payment, TOTAL)
        expected = self._asking(life, "shipped", STAFF)
        got = outcome(self._changed, order_commands.update, life, STAFF, None, "shipped", None)
        assert got == expected == "invalid_transition"

    # --- people

    @rule(place=PLACE, who=st.sampled_from((OWNER, OWNER, STAFF, STRANGER)))
    def cancel(self, place, who):
        self._cancel(self.lives[place], who)

    def _cancel(self, life, who):
        expected = self._asking(life, "cancelled", who)
        assert outcome(self._changed, order_commands.cancel, life, None, who) == expected

    @rule(
        place=PLACE,
        status=st.sampled_from(("shipped", "shipped", "delivered", "delivered", "processing")),
        who=st.sampled_from((STAFF, STAFF, OWNER)),
        stale=st.booleans(),
    )
    def advance(self, place, status, who, stale):
        """By staff alone, in order, and not from a state that they have not seen."""
        life = self.lives[place]
        version = life.version - stale
        if life.hidden:
            expected = "not_found"
        elif stale:
            expected = "precondition_failed"
        elif who is OWNER:
            expected = "forbidden"
        else:
            expected = self._asking(life, status, who)
        got = outcome(self._changed, order_commands.update, life, who, None, status, version)
        assert got == expected

    def _changed(self, change, life, *args):
        return change(self.shop, life.id, *args)["status"]

    def _asking(self, life, target, who):
        """The model of a step that somebody asks for: the state after it, or why not."""
        people, money = STEPS.get((life.status, target), ((), ()))
        if life.hidden or who is STRANGER:
            return "not_found"
        if who not in people or life.money not in money:
            return "invalid_transition"
        if life.payment is not None and life.money == "unpaid":
            return "payment_in_progress"
        if target == "cancelled":
            life.cancel(self.now)
        else:
            life.move(target)
        if target == "cancelled" and life.payment is not None:
            life.give_back(life.payment, TOTAL)
        return target

    @rule(place=PLACE)
    def hide(self, place):
        """Only what has ended."""
        life = self.lives[place]
        ended = life.status in ("delivered", "cancelled")
        expected = "not_found" if life.hidden else None if ended else "invalid_transition"
        assert outcome(order_commands.hide, self.shop, life.id, ADMIN) == expected
        life.hidden = life.hidden or ended

    # --- time

    @rule(seconds=st.sampled_from((1, 15, 60, 600)))
    def wait(self, seconds):
        self.later(seconds=seconds)

    @rule()
    def expire(self):
        """Unpaid orders whose time is over, unless one is being paid just now."""
        self._expire()

    def _expire(self):
        jobs.expire(self.shop)
        for life in self.lives:
            quiet = life.paying_since is None or life.paying_since <= self.now - PATIENCE
            unpaid = life.status == "pending" and life.payment is None
            if unpaid and quiet and self.now >= START + WINDOW:
                life.cancel(self.now)

    @rule(stock=STOCK)
    def find_payments(self, stock):
        """What no event told is asked for, at growing distances."""
        self.inventory.stock = stock
        jobs.look_up_payments(self.shop)
        for life in self.lives:
            if life.recheck_at is None or life.recheck_at > self.now:
                continue
            life.recheck_at = self.now + max(RECHECK, self.now - life.paying_since)
            made = self.payments.made.get(life.id, ())
            came = [one for one in made if one["status"] == "succeeded"]
            if came:
                self._finish(life, came[0], stock)
            elif life.payment is None and not any(one["status"] == "pending" for one in made):
                life.paying_since = life.recheck_at = None

    # --- what holds after every step

    @invariant()
    def orders_are_those_of_the_model(self):
        rows = {row.id: row for row in self.connection.execute(sa.select(Order.__table__))}
        for life in self.lives:
            row = rows.pop(life.id)
            assert (row.status, row.payment_status) == (life.status, life.money)
            assert (row.payment_id, row.version) == (life.payment, life.version)
            assert (row.paying_since, row.recheck_at) == (life.paying_since, life.recheck_at)
            assert (row.hidden_at is not None) == life.hidden
        assert rows == {}

    @invariant()
    def the_world_was_told_once(self):
        """Each step with its version, and each return of money once, whatever was repeated."""
        for life in self.lives:
            about = [(kind, facts) for kind, facts in self.told if kind != "staff_acted"]
            mine = [(kind, facts) for kind, facts in about if facts["order_id"] == life.id]
            steps = [(kind, facts["version"]) for kind, facts in mine if kind in STEPS_TOLD]
            assert steps == life.told
            due = [(f["payment_id"], f["amount"]) for kind, f in mine if kind == "refund_due"]
            asked = {p: one.asked for p, one in life.receipts.items() if one.asked}
            assert sorted(due) == sorted(asked.items())

    @invariant()
    def no_money_is_kept_for_nothing(self):
        """What came for an order that is cancelled goes back; nothing leaves without money."""
        for life in self.lives:
            if life.status == "cancelled" and life.payment is not None:
                assert life.receipts[life.payment].asked is not None
            if life.status in ("processing", "shipped", "delivered"):
                assert life.money != "unpaid"


def test_orders_live_as_in_the_model(walk):
    """Whatever people, money and time do: only steps of the table, and no cent is forgotten."""
    walk(Lives, "orders")
