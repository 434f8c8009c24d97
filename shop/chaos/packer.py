"""A clerk who sends what is paid, in parcels, beside another one who does the same."""

import random
from typing import Any

from shop.chaos.client import Client, new_key
from shop.chaos.journal import Journal
from shop.chaos.together import at_once

#: How an order is sent, of a hundred.
_WAYS = {"whole": 25, "in parts": 25, "after packing": 20, "short": 15, "from elsewhere": 15}

_MADE = (201, 409)
_DONE = (200, 409)


class Packer:
    """Sends one order after the other."""

    def __init__(self, staff: Client, journal: Journal, chance: random.Random):
        self._staff = staff
        self._journal = journal
        self._chance = chance

    def visit(self, order_id: str) -> None:
        """Send a paid order, or try to: its buyer may cancel it meanwhile."""
        order = self._staff.call("GET", f"/api/orders/{order_id}", tries=3).body
        if order is None:
            return
        (way,) = self._chance.choices(list(_WAYS), list(_WAYS.values()))
        self._journal.count(f"sent {way}")
        getattr(self, "_" + way.replace(" ", "_"))(order)
        self._rest(order)
        if self._chance.random() < 0.6:
            self._set_status(order, "delivered")

    def _whole(self, order: dict[str, Any]) -> None:
        """Both clerks say so at once."""
        at_once(*[lambda: self._set_status(order, "shipped")] * 2)

    def _in_parts(self, order: dict[str, Any]) -> None:
        """Two clerks with keys of their own want the same units, and one sends the request twice:
        no unit leaves twice."""
        part, key = self._part(order), new_key()
        at_once(
            lambda: self._send(order, part, key),
            lambda: self._send(order, part, key),
            lambda: self._send(order, part, new_key()),
        )

    def _after_packing(self, order: dict[str, Any]) -> None:
        """Packed, then taken apart and sent at once: one of both comes too late."""
        parcel = self._send(order, self._part(order), new_key(), state="packing")
        if parcel is None:
            return
        path = f"/api/fulfilments/{parcel['id']}"
        at_once(
            lambda: self._staff.call(
                "PATCH", path, {"state": "shipped"}, known=_DONE, tries=self._tries()
            ),
            lambda: self._staff.call(
                "POST", f"{path}/cancel", None, known=_DONE, tries=self._tries()
            ),
        )

    def _short(self, order: dict[str, Any]) -> None:
        """A part is not found, while another clerk sends it."""
        part, key = self._part(order), new_key()
        cancel = lambda: self._staff.call(  # noqa: E731
            "POST",
            f"/api/orders/{order['id']}/cancel_items",
            {"items": part},
            known=_DONE,
            key=key,
            tries=self._tries(),
        )
        at_once(cancel, cancel, lambda: self._send(order, part, new_key()))

    def _from_elsewhere(self, order: dict[str, Any]) -> None:
        """A part is to leave from another location, while another clerk packs it."""
        path = f"/api/inventory/orders/{order['id']}"
        held = self._staff.call("GET", path, known=(200, 404), tries=5)
        places = self._staff.call("GET", "/api/locations", tries=5)
        if held.status != 200 or places.status != 200:
            return
        lines = [line for line in held.body["items"] if line["open"]]
        if not lines:
            return
        line = self._chance.choice(lines)
        codes = [each["code"] for each in places.body["items"] if each["active"]]
        others = [code for code in codes if code != line["location"]]
        if not others:
            return
        move = {"variant_id": line["variant_id"], "quantity": 1}
        move |= {"from": line["location"], "to": self._chance.choice(others)}
        # No key here: it is tried once, and may have happened when there was no answer.
        relocate = lambda: self._staff.call(  # noqa: E731
            "POST", f"{path}/relocate", {"items": [move]}, known=_DONE, tries=1
        )
        at_once(relocate, lambda: self._send(order, self._part(order), new_key()))

    def _rest(self, order: dict[str, Any]) -> None:
        """In one parcel; if it lies at several locations, in one from each."""
        if self._send(order, None, new_key()) is None:
            self._set_status(order, "shipped")

    def _part(self, order: dict[str, Any]) -> list[dict[str, int]]:
        """Some units of one line."""
        line = self._chance.choice(order["items"])
        return [{"line": line["line"], "quantity": self._chance.randint(1, line["quantity"])}]

    def _send(
        self, order: dict[str, Any], items: list[dict[str, int]] | None, key: str, **more: str
    ) -> dict[str, Any] | None:
        body = ({} if items is None else {"items": items}) | more
        path = f"/api/orders/{order['id']}/fulfilments"
        answer = self._staff.call("POST", path, body, known=_MADE, key=key, tries=self._tries())
        if answer.status != 201:
            return None
        parcel: dict[str, Any] = answer.body
        self._journal.note_parcel(key, parcel)
        return parcel

    def _set_status(self, order: dict[str, Any], status: str) -> None:
        path = f"/api/orders/{order['id']}"
        self._staff.call("PATCH", path, {"status": status}, known=_DONE, tries=5)

    def _tries(self) -> int | None:
        """Most insist."""
        return 1 if self._chance.random() < 0.1 else None
