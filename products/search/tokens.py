"""What texts are made of: chunks between spaces, and in them letters, digits, characters.

"Dr.Martens" is one chunk of two tokens, "WD-40" and "wd40" are the same two, "テーブルランプ" is
one run of a script that has no spaces.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from products.search.folding import folded, normalized

#: Longer ones are cut: nobody types more, and PostgreSQL takes lexemes of 2,046 bytes at most.
MAX_TOKEN = 50

# Python's \w has letters and digits, but not the marks that are half of a Thai or Hindi word.
_MARKS = "".join(
    chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M"
)
# Thai and Lao, Myanmar, Khmer, kana, Han, Hangul: no spaces, or words grown together.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    f"\U00020000-{chr(min(sys.maxunicode, 0x3FFFF))}"
)
_LETTER = rf"(?:(?![\d_{_UNSPACED}])[\w{_MARKS}])"
_TOKEN = re.compile(
    rf"(?P<number>(?<![\d.,])\d+(?:[.,'’]\d+)+)"
    rf"|(?P<unspaced>(?:(?=[{_UNSPACED}])[\w{_MARKS}])+)|(?P<digits>\d+)|(?P<letters>{_LETTER}+)"
)
_APOSTROPHES = "'’ʼ`´"
#: C++, F#, 10+: a sign that is part of the name.
_SIGNED = re.compile(r"(?<![^\W_])[^\W_]+(?:\+{1,2}|#)(?!\w)")
_SYMBOL = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_SEPARATOR = re.compile(r"[.,'’]")


@dataclass(frozen=True)
class Token:
    """Letters, digits or characters that stand together. `forms` are the ways to read it: one, but
    for 10,000, which is 10000 or 10. It `is_suffix` when it is the s of keeper's, the n of
    rock'n'roll."""

    kind: str
    text: str
    forms: tuple[str, ...]
    is_suffix: bool = False


@dataclass(frozen=True, eq=False)  # a chunk is itself, so that what is known of it is kept by it
class Chunk:
    """What stands between spaces; `signed` are its C++ and F#."""

    tokens: tuple[Token, ...]
    signed: tuple[str, ...]

    @cached_property
    def joined(self) -> str:
        """`wd40`, `drmartens`, `usbc`: what its tokens are without what divides them; "" where that
        would read as something else (24/7 is not 247)."""
        parts = [token.forms[0] for token in self.tokens]
        is_short_number = all(part.isdecimal() for part in parts) and sum(map(len, parts)) < 6
        has_unspaced = any(token.kind == "unspaced" for token in self.tokens)
        return "" if is_short_number or has_unspaced else "".join(parts)[:MAX_TOKEN]


def chunks(text: str) -> Iterator[Chunk]:
    """The chunks of `text` that have tokens."""
    for part in normalized(text).split():
        chunk = _known(part) if len(part) <= MAX_TOKEN else _chunk(part)
        if chunk.tokens:
            yield chunk


def symbols(text: str) -> list[str]:
    """The pictures in a text, each a word of its own."""
    return [] if text.isascii() else _SYMBOL.findall(text)


def _chunk(text: str) -> Chunk:
    signed = (folded(found[0][:MAX_TOKEN]) for found in _SIGNED.finditer(text))
    return Chunk(tuple(_tokens(text)), tuple(signed))


# Most words of a catalog stand in many products.
_known = lru_cache(maxsize=5_000)(_chunk)


def _tokens(chunk: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(chunk):
        kind, text = str(found.lastgroup), found[0]
        if kind == "number":
            if forms := _readings(text):
                yield Token(kind, text, forms)
            else:
                yield from (_digits(part) for part in _SEPARATOR.split(text))
        elif kind == "letters":
            after = chunk[found.start() - 1 : found.start()]
            is_suffix = bool(after) and after in _APOSTROPHES and len(text) <= 2
            text = text[:MAX_TOKEN]
            if form := folded(text):
                yield Token(kind, text, (form,), is_suffix)
        elif kind == "unspaced":
            # The long sound at the end is written or not: コンピューター, コンピュータ.
            form = folded(text)
            yield Token(kind, text, (form.rstrip("ー") if len(form) > 3 else form,))
        else:
            yield _digits(text)


def _digits(text: str) -> Token:
    return Token("digits", text[:MAX_TOKEN], (text[:MAX_TOKEN],))


def _readings(number: str) -> tuple[str, ...]:
    """`3.5` for 3,5 and 3.50; thousands, a fraction or both for 10,000; nothing for 1.2.3."""
    if len(number) > MAX_TOKEN:
        return ()
    whole, *parts = _SEPARATOR.split(number)
    readings = []
    if all(len(part) == 3 for part in parts) and len(whole) <= 3 and whole[0] != "0":
        readings.append(whole + "".join(parts))
    if len(parts) == 1:
        fraction = parts[0].rstrip("0")
        readings.append(f"{whole}.{fraction}" if fraction else whole)
    return tuple(readings)
