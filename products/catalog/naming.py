"""Names that are made up when nobody gave one."""

import re
import secrets
import unicodedata
from collections.abc import Container

from slugify import slugify
from text_unidecode import unidecode

from contracts.products.fields import MAX_SLUG

_SKU_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that reads like something else


def new_sku() -> str:
    """A random SKU, such as P-7F3K9Q2M."""
    return "P-" + "".join(secrets.choice(_SKU_ALPHABET) for _ in range(8))


def slug(name: str, taken: Container[str]) -> str:
    """`name` for an address, with a number behind it if it is among `taken`.

    Letters of other alphabets are written in Latin ones: `strasse`, `lodz`, `kaban` for カバン. It
    always has a letter, so that it is never mistaken for an id; a name without any, digits or
    emojis alone, is `category-…`.
    """
    # Letter by letter and not for one language: ü is u in Turkish too. Composed first, because a
    # letter that is taken apart, as バ into ハ and its mark, would be read as another one.
    latin = "".join(map(_latin, unicodedata.normalize("NFKC", name)))
    base = slugify(latin, max_length=MAX_SLUG - 6)
    if not re.search("[a-z]", base):
        base = f"category-{base}".strip("-")
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def _latin(character: str) -> str:
    """A character in Latin letters. Signs that stand for a sound, as the soft one of стулья, are
    left out of letters: they divide no words."""
    latin = unidecode(character)
    return re.sub("[^A-Za-z ]", "", latin) if unicodedata.category(character)[0] in "LM" else latin
