"""The products service, as carts and checkouts need it."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from chassis.messages import Json
from contracts.inventory.answers import Reserved
from contracts.products import interface
from contracts.products.answers import SoldVariantList
from contracts.products.errors import ChooseVariant
from contracts.products.requests import MAX_IDS

#: Variants as they are now (`contracts.products.answers.SoldVariant`), by id; None: there is none.
Variants = dict[int, dict[str, Any] | None]

_VARIANTS = SoldVariantList()
_RESERVED = Reserved(only=["expires_at", "lines"])


def look_up(products: interface.Products, ids: Iterable[int]) -> Variants:
    """Each of `ids` with its variant; `products` is the proxy to the service."""
    wanted = list(dict.fromkeys(ids))
    found: Variants = dict.fromkeys(wanted)
    for variant in _ask(lambda some: products.get_variants(ids=some), wanted):
        if not variant["deleted"]:
            found[variant["id"]] = variant
    return found


def only_variants(products: interface.Products, product_ids: Iterable[int]) -> Variants:
    """Each product with its only variant, None if it has none. Raises `ChooseVariant`, naming all
    that have several."""
    wanted = list(dict.fromkeys(product_ids))
    found: dict[int, list[dict[str, Any]]] = {one: [] for one in wanted}
    for variant in _ask(lambda some: products.get_variants(product_ids=some), wanted):
        found[variant["product_id"]].append(variant)
    several = {one: variants for one, variants in found.items() if len(variants) > 1}
    if several:
        raise ChooseVariant.of(several)
    return {one: variants[0] if variants else None for one, variants in found.items()}


def reserved(answer: Json) -> tuple[dict[int, dict[str, Any]], datetime.datetime]:
    """The variants that inventory has reserved, without what is available of them, and until
    when."""
    loaded = _RESERVED.load(answer)
    return {line["variant_id"]: line for line in loaded["lines"]}, loaded["expires_at"]


def _ask(ask: Callable[[Sequence[int]], Json], ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), MAX_IDS):
        yield from _VARIANTS.load(ask(ids[start : start + MAX_IDS]))["items"]
