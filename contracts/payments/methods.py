"""Payment methods: tokens only.

Card numbers belong to the provider's own form. One that is sent here all the same is refused
before anything else looks at it, and no message repeats any of what was sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contracts.payments.enums import MethodType

CARD_NUMBER_SENT = "Card numbers are not accepted here: send the provider's token."
NOT_A_METHOD = (
    'Send {"type": "card", "token": "…"}, or {"type": "checkout"} for the page of Stripe.'
)

#: 13 to 19 digits, as cards carry them, however they are spaced.
_CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[\s._\-\u2010-\u2015]{0,3}\d){12,18}(?!\d)")
#: The token of a card, of any provider; the gateway also wants the prefix that ours have (`tok_`).
MAX_TOKEN = 200
CARD_TOKEN = re.compile(rf"[A-Za-z0-9_]{{1,{MAX_TOKEN}}}")


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """How the buyer pays: by a token that the provider gave out, which no repr shows, or on the
    provider's own page."""

    type: MethodType
    token: str | None = field(default=None, repr=False)


def parse(value: Any) -> PaymentMethod:
    """The method in a request; raises ValueError with a sentence for the sender."""
    if any(_CARD_NUMBER.search(text) for text in _texts(value)):
        raise ValueError(CARD_NUMBER_SENT)
    if value == {"type": MethodType.CHECKOUT}:
        return PaymentMethod(MethodType.CHECKOUT)
    if not isinstance(value, dict) or value.keys() != {"type", "token"}:
        raise ValueError(NOT_A_METHOD)
    kind, token = value["type"], value["token"]
    if kind != MethodType.CARD or not isinstance(token, str) or not CARD_TOKEN.fullmatch(token):
        raise ValueError(NOT_A_METHOD)
    return PaymentMethod(MethodType.CARD, token)


def _texts(value: Any) -> Iterator[str]:
    """All texts and numbers in a JSON value, keys included; without recursion, since the sender
    decides how deep it is."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, float):
            yield f"{item:.0f}"
        elif item is not None:
            yield str(item)
