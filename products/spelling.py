"""What somebody may have meant by a word, and the search that finds any of it.

Plain rules; the words that there are come from `products.search`.
"""

import re
from collections.abc import Iterable, Mapping

#: More words than this are not looked at; who types a sentence gets the start of it searched.
MAX_WORDS = 8
#: So many words are put in the place of a misspelled one, the nearest first.
MAX_VARIANTS = 10
#: From this length on a word may be the beginning of a longer one.
MIN_PREFIX = 3

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 30


def exact_query(search: str) -> str:
    """`search` as text for PostgreSQL's to_tsquery: all of its words."""
    return " & ".join(_quoted(word) for word in search.split()[:MAX_WORDS])


def words(search: str) -> list[str]:
    """The words of `search` that may be misspelled, in small letters."""
    found = dict.fromkeys(word[:_LONGEST_WORD] for word in _WORD.findall(search.lower()))
    return list(found)[:MAX_WORDS]


def corrected_query(candidates: Mapping[str, Iterable[str]]) -> str:
    """A search for each word of `candidates` or something near it, as text for to_tsquery."""
    return " & ".join(
        f"({' | '.join(_alternatives(word, near))})" for word, near in candidates.items()
    )


def _alternatives(word: str, candidates: Iterable[str]) -> list[str]:
    as_prefix = ":*" if len(word) >= MIN_PREFIX else ""
    return [_quoted(word) + as_prefix, *map(_quoted, nearest(word, candidates))]


def nearest(word: str, candidates: Iterable[str]) -> list[str]:
    """Those of `candidates` that `word` may be a misspelling of, the nearest first."""
    most = tolerated(word)
    near = ((distance(word, candidate), candidate) for candidate in candidates)
    return [candidate for edits, candidate in sorted(near) if 0 < edits <= most][:MAX_VARIANTS]


def tolerated(word: str) -> int:
    """How many edits away a word may be and still be meant: none, one or two by its length."""
    return 0 if len(word) < 3 else 1 if len(word) <= 5 else 2


def distance(one: str, other: str) -> int:
    """The fewest letters to insert, leave out, replace or swap with their neighbour that make
    `other` of `one` (optimal string alignment)."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, opposite in enumerate(other, 1):
            edits = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != opposite))
            if i > 1 and j > 1 and letter == other[j - 2] and opposite == one[i - 2]:
                edits = min(edits, before[j - 2] + 1)
            row.append(edits)
        before, above = above, row
    return above[-1]


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
