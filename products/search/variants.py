"""What else a text may be typed as, where its signs and spaces say more than they divide."""

import re
from collections.abc import Iterator

from products.search.folding import normalized

#: 55", 55″, 55'' and 55in are 55 inches (but not "2 in 1"). NFKC has made two primes of the double
#: one.
_INCHES = re.compile("\\d(?:in\\b|\\s?(?:[\"\u201d]|''|\u2019\u2019|\u2032\u2032))", re.IGNORECASE)
#: 42½ or 42 1/2: so many, and a fraction that is a round decimal.
_MIXED = re.compile(r"(?<![\d.,/])(\d{1,4})[ -]([13])[/\u2044]([24])(?!\d)")
_DECIMALS = {"1/2": "5", "2/4": "5", "1/4": "25", "3/4": "75"}
#: 10 000, as the SI and much of Europe write it.
_THOUSANDS = re.compile(r"(?<![\d.,/])[1-9]\d{0,2}(?: \d{3})+(?![\d/])")
#: J. R. R., which is typed as JRR.
_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.? ){2,4}[^\W\d_](?![^\W_])")


def variants(text: str) -> Iterator[str]:
    """Words to find `text` by, beside its own: `and` for &, `inch in` for 65", `42.5` for 42½,
    `10000` for 10 000, `jrr` for J. R. R."""
    text = normalized(text)
    if "&" in text:
        yield "and"
    if _INCHES.search(text):
        yield "inch in"
    for found in _MIXED.finditer(text):
        if decimal := decimal_of(found[1], f"{found[2]}/{found[3]}"):
            yield decimal
    for found in _THOUSANDS.finditer(text):
        yield found[0].replace(" ", "")
    for found in _INITIALS.finditer(text):
        yield re.sub(r"[. ]", "", found[0])


def decimal_of(whole: str, fraction: str) -> str | None:
    """`42.5` for 42 and `1/2`; None for fractions that are typed as such alone."""
    decimals = _DECIMALS.get(fraction)
    return decimals and f"{whole}.{decimals}"
