"""What somebody may have meant by a word. Plain rules; the words that there are come from
`products.search`."""

from collections.abc import Iterable

#: So many words are put in the place of a misspelled one.
MAX_VARIANTS = 10
#: Shorter halves of a word are no words of their own.
MIN_HALF = 3


def nearest(word: str, candidates: Iterable[str]) -> list[str]:
    """Those of `candidates` that `word` is most likely a misspelling of: as few edits away as any
    other, but not more than tolerated."""
    edits = {candidate: distance(word, candidate) for candidate in candidates}
    fewest = min((many for many in edits.values() if many > 0), default=0)
    if not 0 < fewest <= tolerated(word):
        return []
    return sorted(word for word, many in edits.items() if many == fewest)[:MAX_VARIANTS]


def halves(word: str) -> list[tuple[str, str]]:
    """The ways to read one word as two: `redlamp` as red lamp."""
    return [(word[:cut], word[cut:]) for cut in range(MIN_HALF, len(word) - MIN_HALF + 1)]


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
