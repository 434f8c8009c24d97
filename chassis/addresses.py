"""Postal addresses by the rules of their country, with the recipient's phone number."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chassis import countries, phones


def faults_in(
    address: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What is wrong with an address, by field. What it has in common with that of `before`, if any,
    was taken once and is not looked at again, unless the country is another one."""
    faults = countries.faults_in(address)
    if address.get("phone"):
        try:
            phones.e164(address["phone"], address["country"])
        except ValueError as fault:
            faults["phone"] = str(fault)
    if before is None or before["country"] != address["country"]:
        return faults
    return {name: fault for name, fault in faults.items() if address.get(name) != before.get(name)}


def as_kept(address: Mapping[str, Any]) -> dict[str, Any]:
    """An address as it is kept: its phone number in E.164, its postal code in the form of the
    country, where they can be brought to it."""
    kept = dict(address)
    if kept.get("postal_code"):
        kept["postal_code"] = countries.postal_code(kept["postal_code"], kept["country"])
    if kept.get("phone"):
        with suppress(ValueError):  # one of before, see `faults_in`
            kept["phone"] = phones.e164(kept["phone"], kept["country"])
    return kept
