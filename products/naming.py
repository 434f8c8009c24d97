"""Names that are made up when nobody gave one."""

import re
import secrets
import unicodedata
from collections.abc import Container

_SKU_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that reads like something else
_NOT_SLUG = re.compile(r"[^a-z0-9]+")

MAX_SLUG = 80


def new_sku() -> str:
    """A random SKU, such as P-7F3K9Q2M."""
    return "P-" + "".join(secrets.choice(_SKU_ALPHABET) for _ in range(8))


def slug(name: str, taken: Container[str]) -> str:
    """`name` for an address, with a number behind it if it is among `taken`.

    It always has a letter, so that it is never mistaken for an id.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    base = _NOT_SLUG.sub("-", ascii_name.lower())[: MAX_SLUG - 6].strip("-")
    if not re.search("[a-z]", base):
        base = f"category-{base}".strip("-")
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate
