"""What admins do about zones and methods: each is one transaction, with its entry in the audit
trail."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from chassis import currencies, idempotency, staff
from chassis.errors import Invalid
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.orders.errors import ShippingZoneNotFound
from contracts.users.enums import Action, Target
from orders.context import Context
from orders.models import RequestKey
from orders.shipping import queries, store
from orders.shipping.rules import Member, faults_in, faults_in_zone


def create_zone(
    context: Context, actor: Actor, key: str | None, name: str, members: Sequence[Mapping[str, Any]]
) -> Json:
    """A new zone; a repeat under `key` answers the first one, as it is by then.

    Raises `Forbidden`, and what `store.add_zone` raises.
    """
    require_admin(actor)
    kept, asked = _members(members), idempotency.fingerprint(name=name, members=members)
    owner, now = actor.user_id, context.clock()
    with context.db.begin() as session:
        claim = idempotency.claim(session, RequestKey, owner, "shipping_zone", key, asked, now)
        zone_id = claim.resource_id
        if claim.is_new:
            store.add_zone(session, zone_id, name, kept)
            about = Target.SHIPPING_ZONE, zone_id
            staff.tell(context, session, actor, Action.SHIPPING_ZONE_CREATED, *about)
        return queries.zone(session, zone_id) | {"replayed": not claim.is_new}


def update_zone(
    context: Context,
    actor: Actor,
    zone_id: uuid.UUID,
    version: int | None,
    members: Sequence[Mapping[str, Any]] | None = None,
    **fields: Any,
) -> Json:
    """The zone with another name, or other members in place of all that it has.

    Raises `Forbidden`, `ShippingZoneNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more, `AlreadyExists` (name), and what `store.set_members` raises.
    """
    require_admin(actor)
    kept = None if members is None else _members(members)
    with context.db.begin() as session:
        store.lock_zone(session, zone_id, version)
        if fields or kept is not None:
            store.change_zone(session, zone_id, **fields)
            if kept is not None:
                store.set_members(session, zone_id, kept)
            about = Target.SHIPPING_ZONE, zone_id
            changed = sorted([*fields, *(["members"] if kept is not None else [])])
            what = Action.SHIPPING_ZONE_CHANGED
            staff.tell(context, session, actor, what, *about, fields=changed)
        return queries.zone(session, zone_id)


def delete_zone(context: Context, actor: Actor, zone_id: uuid.UUID, version: int | None) -> None:
    """Delete a zone with its methods; orders keep what they were shipped by.

    Raises `Forbidden`, `ShippingZoneNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more.
    """
    require_admin(actor)
    with context.db.begin() as session:
        store.lock_zone(session, zone_id, version)
        store.remove_zone(session, zone_id)
        about = Target.SHIPPING_ZONE, zone_id
        staff.tell(context, session, actor, Action.SHIPPING_ZONE_DELETED, *about)


def create_method(
    context: Context, actor: Actor, key: str | None, zone_id: uuid.UUID, **fields: Any
) -> Json:
    """A new method of a zone, in the shop's currency unless `fields` name one; a repeat under
    `key` answers the first one, as it is by then.

    Raises `Forbidden`, `Invalid` (zone; what does not go together), `AlreadyExists` (code),
    `TooManyShippingMethods`.
    """
    require_admin(actor)
    asked = idempotency.fingerprint(zone_id=zone_id, **fields)
    owner, now = actor.user_id, context.clock()
    fields = {"currency": context.settings["currency"]} | fields
    fields |= _amounts(fields)
    with context.db.begin() as session:
        claim = idempotency.claim(session, RequestKey, owner, "shipping_method", key, asked, now)
        method_id = claim.resource_id
        if claim.is_new:
            try:
                store.lock_zone(session, zone_id)
            except ShippingZoneNotFound:
                raise Invalid(errors={"zone_id": ["There is no such zone."]}) from None
            store.add_method(session, method_id, zone_id, fields)
            priced = {"price": str(fields["price"]), "currency": fields["currency"]}
            about = Target.SHIPPING_METHOD, method_id
            staff.tell(context, session, actor, Action.SHIPPING_METHOD_CREATED, *about, **priced)
        return queries.method(session, method_id) | {"replayed": not claim.is_new}


def update_method(
    context: Context, actor: Actor, method_id: uuid.UUID, version: int | None, **fields: Any
) -> Json:
    """The method with `fields` replaced.

    Raises `Forbidden`, `ShippingMethodNotFound`, `PreconditionFailed` when it is not at `version`
    (if given) any more, `Invalid` (what does not go together), `AlreadyExists` (code).
    """
    require_admin(actor)
    with context.db.begin() as session:
        before = store.lock_method(session, method_id, version)
        if fields:
            amounts = _amounts(before | fields)
            store.change_method(session, method_id, fields | amounts)
        if changed := sorted(name for name in fields if fields[name] != before[name]):
            about, what = (Target.SHIPPING_METHOD, method_id), Action.SHIPPING_METHOD_CHANGED
            prices = _repriced(before["price"], amounts) if "price" in changed else {}
            staff.tell(context, session, actor, what, *about, fields=changed, **prices)
        return queries.method(session, method_id)


def _repriced(before: Decimal, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"old_price": str(before), "price": str(fields["price"])}


def _amounts(method: Mapping[str, Any]) -> dict[str, Any]:
    """What a method costs, with the places of its currency; raises `Invalid` for what does not go
    together."""
    if faults := faults_in(method):
        raise Invalid(errors=faults)
    amounts = ((name, method.get(name)) for name in ("price", "free_from"))
    currency = method["currency"]
    return {n: None if v is None else currencies.rounded(v, currency) for n, v in amounts}


def _members(members: Sequence[Mapping[str, Any]]) -> list[Member]:
    kept = [Member.of(**member) for member in members]
    if faults := faults_in_zone(kept):
        raise Invalid(errors={"members": faults})
    return kept
