"""What has to be true of the books of all services, whatever happened to their processes.

Each invariant is a rule in a sentence and a check that finds what breaks it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shop.verify import catalog, events, money, orders, parcels, stock, taxes
from shop.verify.books import Books
from shop.verify.violation import Violation


@dataclass(frozen=True)
class Verdict:
    """How many things were looked at, and which of them break the rule."""

    checked: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class Invariant:
    """A rule; `count` says how many things there are to look at, `find` those that break it."""

    name: str
    rule: str
    count: Callable[[Books], int]
    find: Callable[[Books], Iterator[Violation]]

    def check(self, books: Books) -> Verdict:
        """What a look at the books says now."""
        return Verdict(self.count(books), tuple(self.find(books)))


INVARIANTS = (
    Invariant(
        "variants fit their products",
        "what is for sale has a variant, each with stock, and with values that its product has",
        catalog.variants,
        catalog.misfits,
    ),
    Invariant(
        "stock adds up",
        "on hand and reserved are the sums of the movements, and reserved is what orders hold, at"
        " each location",
        stock.products,
        stock.counters,
    ),
    Invariant(
        "never oversold",
        "at no moment was more held and sold of a variant at a location than there was",
        stock.moves,
        stock.short,
    ),
    Invariant(
        "nothing sold twice",
        "each order took of each variant what its reservation says, once",
        stock.lines,
        stock.taken,
    ),
    Invariant(
        "nothing vanishes on the way",
        "what has left one location for another has arrived, is back, or is still under way",
        stock.transfers,
        stock.on_the_way,
    ),
    Invariant(
        "sold is what was ordered",
        "orders that are processing or later have exactly their lines committed, others none",
        orders.orders,
        orders.goods,
    ),
    Invariant(
        "nothing held for ever",
        "no reservation is past its time, and each belongs to a pending order or an open checkout",
        stock.reservations,
        orders.holds,
    ),
    Invariant(
        "one order per key",
        "a buyer's idempotency key made one order at most",
        orders.keyed,
        orders.doubled_keys,
    ),
    Invariant(
        "parts are wholes",
        "what an order comes to, before and after discounts and tax, is the sum of its lines and"
        " its shipping",
        orders.orders,
        orders.totals,
    ),
    Invariant(
        "tax adds up",
        "each tax of an order is its rate of what is taxed, rounded once, and together they are"
        " what its lines and its shipping bear",
        taxes.rows,
        taxes.wrong,
    ),
    Invariant(
        "history leads here",
        "an order's timeline leads step by step to its state, and tells nothing twice",
        orders.orders,
        orders.histories,
    ),
    Invariant(
        "what left is what was sold",
        "of each line, as many units have left in parcels as it counts, and no more than were sold;"
        " inventory has booked just these, at their locations",
        parcels.parcels,
        parcels.departed,
    ),
    Invariant(
        "status follows the parcels",
        "an order's status is what has become of the units of its lines",
        orders.orders,
        parcels.statuses,
    ),
    Invariant(
        "charged once",
        "no order has more than one payment with money in it",
        money.payments,
        money.doubled,
    ),
    Invariant(
        "money matches orders",
        "captured - refunded is the total of orders that are processing or later, less what was"
        " given back of them, and nothing for all others",
        orders.orders,
        money.unmatched,
    ),
    Invariant(
        "never more back than taken",
        "refunds stay within what was captured, and totals are the sums of the ledger",
        money.payments,
        money.overdrawn,
    ),
    Invariant(
        "asked back, gone back",
        "what was asked back of a payment, once for each cause, has gone back, and no more of it",
        money.requests,
        money.unanswered,
    ),
    Invariant(
        "amounts fit their currency",
        "prices, and amounts of orders and payments, have the decimal places of their currency",
        orders.orders,
        money.miswritten,
    ),
    Invariant(
        "accounts add up",
        "of each order, what the provider has, what was paid for and what is disputed add up to"
        " nothing, and there is no other account",
        money.accounts,
        money.unbalanced,
    ),
    Invariant(
        "provider agrees",
        "each charge and refund in the provider's books is one in ours, of the same amount, and"
        " what is left of it lies in our account with them",
        money.charges,
        money.unknown_charges,
    ),
    Invariant(
        "every event published",
        "no row is left in any outbox",
        events.recorded,
        events.unsent,
    ),
    Invariant(
        "every event applied once",
        "each handler's inbox has each event of the last days that it is for",
        events.recorded,
        events.unhandled,
    ),
)
