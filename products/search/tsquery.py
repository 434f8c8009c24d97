"""Searches as text for PostgreSQL's type `tsquery`, each term as it is in the index.

Nothing of what people type is an operator there: every term is quoted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from products.search import terms
from products.search.stemming import stem
from products.search.terms import Word
from products.search.variants import decimal_of

#: From this length on a word may be the beginning of a longer one.
MIN_PREFIX = 3


@dataclass(frozen=True)
class Query:
    """All words, and what makes a product the very one: `exact` is the whole name, or all
    words with the stop words that `words` does without; None if that is not asked for."""

    words: str
    exact: str | None = None

    @property
    def not_exact(self) -> str:
        """All words, in products that `exact` does not find."""
        return f"({self.words}) & !({self.exact})" if self.exact else self.words


def as_typed(search: str) -> Query | None:
    """What `search` says; None if it has no words."""
    typed = terms.words(search)
    wanted = terms.wanted(typed)
    if not wanted:
        return None
    exact = _quoted(terms.whole(search))
    if any(word.is_stop_word for word in typed) and len(wanted) < len(typed):
        exact += f" | {_all(typed[: 2 * terms.MAX_WORDS])}"
    return Query(_all(wanted), exact)


def corrected(
    words: list[Word], near: Mapping[str, Iterable[str]], halves: Mapping[str, tuple[str, str]]
) -> Query | None:
    """What these words may mean: each is found by itself, as a beginning, by a word that is `near`,
    as its `halves`, or written together with the word beside it. None without words."""
    found = [
        " | ".join(
            [
                *_alternatives(word),
                *(_together(found) for found in word.relaxed),
                *_beginning(word.whole),
                *(_quoted(stem(candidate)) for candidate in near.get(word.whole, ())),
                *(_together(map(stem, pair)) for pair in [halves.get(word.whole)] if pair),
                *_with_neighbours(words, position),
            ]
        )
        for position, word in enumerate(words)
    ]
    return Query(" & ".join(f"({each})" for each in found)) if found else None


def _all(words: Iterable[Word]) -> str:
    return " & ".join(f"({' | '.join(_alternatives(word))})" for word in words)


def _alternatives(word: Word) -> list[str]:
    return [_together(alternative) for alternative in word.alternatives]


def _together(found: Iterable[str]) -> str:
    return f"({' & '.join(map(_quoted, found))})"


def _beginning(word: str) -> list[str]:
    """What begins like the word or, for long ones, like its stem: sealing, sealer."""
    shorter = stem(word)
    start = shorter if len(shorter) > MIN_PREFIX and word.startswith(shorter) else word
    return [f"{_quoted(start)}:*"] if len(word) >= MIN_PREFIX and " " not in word else []


def _with_neighbours(words: list[Word], position: int) -> list[str]:
    """`keyb oard` is keyboard for both of them; `lmp 00` the beginning of an SKU; `10 000` and
    `42 1/2` are one number."""
    found = []
    for first in (position - 1, position):
        pair = words[max(first, 0) : first + 2]
        if first < 0 or len(pair) < 2:
            continue
        joined = "".join(word.whole for word in pair)
        number = _as_one_number(*(word.whole for word in pair))
        if number:
            found.append(_quoted(number))
        elif " " not in joined and not joined.isdecimal():
            found.append(_quoted(stem(joined)))
            if not joined.isalpha():
                found += _beginning(joined)
    return found


def _as_one_number(one: str, other: str) -> str | None:
    if not one.isdecimal():
        return None
    are_thousands = len(one) <= 3 and len(other) == 3 and other.isdecimal()
    return one + other if are_thousands else decimal_of(one, other.replace(" ", "/"))


def _quoted(term: str) -> str:
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
