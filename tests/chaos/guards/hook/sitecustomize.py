"""What the processes of a shop whose guards can be switched off have in their PYTHONPATH.

Python imports a module of this name before anything else. This one wraps the functions that are
guards when their modules are imported; while the file GUARD_OFF holds the name of a guard, what is
called is a version of it without.
"""

import contextlib
import functools
import importlib.abc
import importlib.machinery
import os
import pathlib
import random
import sys

OFF = pathlib.Path(os.environ["GUARD_OFF"])


def without_inbox(handle, event):
    """The inbox is written, but nobody looks whether the event is in it already."""
    from sqlalchemy.dialects.postgresql import insert

    from chassis.tables import INBOX

    @contextlib.contextmanager
    def once():
        context = handle._worker_ctx
        handler = f"{context.service_name}.{context.entrypoint.method_name}"
        with handle.begin() as session:
            row = insert(INBOX).values(event_id=event.id, handler=handler)
            session.execute(row.on_conflict_do_nothing())
            yield session

    return once()


def without_lock(session, variant_ids):
    """The stock is read, and while one thinks about it, so do others."""
    import eventlet

    from products.stock import ledger

    read = ledger._LOCK._generate()
    read._for_update_arg = None
    rows = session.execute(read, {"ids": list(variant_ids)}).all()
    eventlet.sleep(0.02)
    return {(row.variant_id, row.location): ledger.Level(*row[2:]) for row in rows}


def without_outbox(publisher, messages):
    """Published and forgotten: what is lost on the way counts as sent."""
    kept = [message for message in messages if random.random() > 0.1]
    with contextlib.suppress(Exception):
        publisher.without_guard(kept)
    return [True] * len(messages)


def without_bound(payment):
    """All that was ever taken may be given back, whatever already was."""
    return payment.captured


def without_doubt(simulator, order):
    """A provider that gives back whatever it is asked for."""
    from sqlalchemy import select

    from payments.providers.port import RefundReport
    from payments.providers.simulator import books
    from payments.providers.simulator.models import SimulatorCharge, SimulatorRefund

    with simulator._db.begin() as session:
        charge = session.scalars(
            select(SimulatorCharge)
            .where(SimulatorCharge.reference == order.reference)
            .with_for_update()
        ).one()
        known = session.get(SimulatorRefund, order.key)
        if known is None:
            known = books.give_back(session, charge, order, simulator._clock())
        return RefundReport(done=True, reference=known.reference)


def without_commit(context, order_id, begin):
    """The event that an order is paid is noted, and its stock stays where it is."""
    with begin():
        pass


def without_order_lock(session, order_id, actor):
    """The order is read, and while a clerk thinks about it, so do others."""
    import eventlet

    from chassis.errors import NotFound
    from orders.models import Order

    order = session.get(Order, order_id)
    if order is None:
        raise NotFound
    eventlet.sleep(0.05)
    return order


def without_key(connection, attempt, *rest):
    """A checkout is entered whatever its key has made already."""
    from dataclasses import replace

    from orders.checkout import store

    entered = store.enter.__wrapped__(connection, replace(attempt, key=None), *rest)
    return replace(entered, key=attempt.key)


#: By guard: the functions that are part of it, and what stands in for them.
GUARDS = {
    "inbox": {"chassis.database:Handle.once": without_inbox},
    "lock": {"products.stock.ledger:lock": without_lock},
    "outbox": {"chassis.broker.confirmed_publisher:ConfirmedPublisher.publish": without_outbox},
    "key": {"orders.checkout.store:enter": without_key},
    "refund": {
        "payments.refunds.store:refundable": without_bound,
        "payments.providers.simulator:Simulator.refund": without_doubt,
    },
    "counters": {"orders.order.queries:lock_visible": without_order_lock},
    "commit": {"products.stock.commands:commit_paid": without_commit},
}


class Finder(importlib.abc.MetaPathFinder):
    """Finds modules with guards in them, as Python would, and makes these optional."""

    def __init__(self):
        self.paths = {}
        for guard, functions in GUARDS.items():
            for place, stand_in in functions.items():
                module, path = place.split(":")
                self.paths.setdefault(module, []).append((path, guard, stand_in))

    def find_spec(self, name, path=None, target=None):
        if name not in self.paths:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for inner, guard, stand_in in self.paths[name]:
                make_optional(module, inner, guard, stand_in)

        spec.loader.exec_module = exec_module
        return spec


def make_optional(module, path, guard, stand_in):
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, module)
    real = getattr(owner, name)

    @functools.wraps(real)
    def call(*args, **kwargs):
        is_off = OFF.exists() and OFF.read_text() == guard
        return (stand_in if is_off else real)(*args, **kwargs)

    setattr(owner, name, call)
    if outer:
        owner.without_guard = real


sys.meta_path.insert(0, Finder())
