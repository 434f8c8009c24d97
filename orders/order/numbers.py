"""The number by which people name an order: S-102-748-395.

PostgreSQL makes it (`order_number` in migration 0004): of a sequence, so that no two are alike, in
an order that only a key of each shop's own knows, so that it does not tell how much is sold; the
last digit checks the others (Luhn, ISO/IEC 7812-1). Mails of before there were numbers named an
order by the first eight characters of its id.
"""

import re
import uuid

_NOISE = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"S?([0-9]+)([0-9]{3})([0-9]{3})")
#: Digits that a number has at least: fewer are the beginning of an id.
LEAST = 9
_LONGEST = 19
_SHORT_ID = re.compile(r"[0-9A-F]{8}")


def parse(text: str) -> str | None:
    """The number that somebody has typed, as it is kept; None when it is none, or mistyped."""
    typed = _NOISE.sub("", text).upper()
    match = _NUMBER.fullmatch(typed) if typed.isascii() else None
    if match is None:
        return None
    digits = "".join(match.groups())
    if not LEAST <= len(digits) <= _LONGEST or not _checks(digits):
        return None
    return "S-" + "-".join(match.groups())


def ids(text: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and last id that begins with what somebody has typed: eight characters, or all of
    an id. None when it is neither."""
    typed = _NOISE.sub("", text).upper()
    if len(typed) == 32 and re.fullmatch(r"[0-9A-F]+", typed):
        return uuid.UUID(typed), uuid.UUID(typed)
    if not _SHORT_ID.fullmatch(typed):
        return None
    return uuid.UUID(typed + 24 * "0"), uuid.UUID(typed + 24 * "F")


def _checks(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
