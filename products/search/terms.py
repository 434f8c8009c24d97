"""The terms under which a product is found, and those that a search asks for.

Both come from the same tokens, so whatever is written in a product can be typed. What varies is
spread out in the product (all forms of a word), so that a search asks for few terms.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any

from products.search import attributes
from products.search.folding import folded, spelled_out
from products.search.stemming import STOP_WORDS, stem
from products.search.tokens import Chunk, Token, chunks, symbols
from products.search.variants import variants

#: More words of a search than this are not looked at.
MAX_WORDS = 8
#: So many pairs of characters are compared of one word in a script without spaces.
MAX_PAIRS = 24
#: The same where each of them may be wrong.
MAX_RELAXED = 12
#: So many runs of characters in one word are relaxed, one at a time.
MAX_RELAXED_TOKENS = 3
#: Fewer Chinese characters are no two words.
MIN_REORDERED = 4
#: So many characters of a title with its attributes, and of what is said beside, are searched.
#: Nobody writes so much; PostgreSQL takes a megabyte of terms, and the service has one processor.
MAX_TEXT = 20_000
#: The longest name that is compared as a whole.
MAX_WHOLE = 200

#: What a term begins with that is a whole name: no token has this sign.
WHOLE = "="

#: Words in the list that misspellings are corrected to: no digits, no sign.
_SPELLED = re.compile(r"[^\W\d_]{3,30}")

#: Chinese characters, or kana and whatever else has no spaces.
_WRITINGS = re.compile("[\u3005-\u3007\u3400-\u9fff]+|[^\u3005-\u3007\u3400-\u9fff]+")
_HAN = re.compile("[\u3400-\u9fff]+")

_HUMP = re.compile("(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")


@dataclass(frozen=True)
class IndexTerms:
    """What finds a product: the terms of who it is (name, SKU, texts of attributes), of everything,
    and the words that a misspelling may mean."""

    title: set[str]
    document: set[str]
    words: set[str]


@dataclass(frozen=True)
class Word:
    """One word of a search: `whole` as typed but folded, and what is to be found for it: all terms
    of any of its `alternatives`, or, when that finds nothing, of those that are `relaxed`."""

    whole: str
    alternatives: tuple[tuple[str, ...], ...]
    is_stop_word: bool = False
    relaxed: tuple[tuple[str, ...], ...] = ()


def index_terms(fields: Mapping[str, Any]) -> IndexTerms:
    """The terms of a product with this name, SKU, description and attributes, and the SKUs and
    option values of its `variants`."""
    named, details = attributes.texts(fields["attributes"])
    title_texts = [fields["name"], fields["sku"], *named, *fields.get("variants", ())]
    other_texts = [fields["description"], *details]
    # Stop words of the title too: `the` is half of "The Who".
    names, others = _chunks(title_texts), _chunks(other_texts)
    title = _gathered(names) | _varied(title_texts)
    title |= {*_neighbours(fields["name"]), *symbols(fields["name"])}
    document = title | (_gathered(others) | _varied(other_texts)) - STOP_WORDS
    exact = whole(fields["name"])
    title |= {exact, WHOLE + folded(exact[1:])}
    words = {word for chunk in (*names, *others) for word in _spelling_words(chunk)}
    return IndexTerms(title - {WHOLE}, document, words)


def whole(text: str) -> str:
    """The term of a name as a whole, with its accents but without punctuation."""
    return WHOLE + " ".join(part for chunk in chunks(text) for part in _spoken(chunk))[:MAX_WHOLE]


def words(search: str) -> list[Word]:
    """The words of a search, stop words among them; symbols when there is nothing else."""
    found = {word.whole: word for word in map(_word, chunks(search))}
    if not found:
        found = {symbol: Word(symbol, ((symbol,),)) for symbol in symbols(search)}
    return list(found.values())


def wanted(typed: list[Word]) -> list[Word]:
    """Those that must be found: without stop words, unless there is nothing else."""
    return ([word for word in typed if not word.is_stop_word] or typed)[:MAX_WORDS]


def _chunks(texts: Iterable[str]) -> list[Chunk]:
    """Each of them once, in their order."""
    room, cut = MAX_TEXT, []
    for text in texts:
        cut.append(text[:room])
        room -= len(cut[-1])
    return list(dict.fromkeys(chain.from_iterable(map(chunks, cut))))


def _gathered(found: Iterable[Chunk]) -> set[str]:
    return set(chain.from_iterable(map(_terms_of, found)))


def _varied(texts: Iterable[str]) -> set[str]:
    return _gathered(_chunks(word for text in texts for word in variants(text[:MAX_TEXT])))


@lru_cache(maxsize=5_000)
def _terms_of(chunk: Chunk) -> frozenset[str]:
    return frozenset(_each_term(chunk))


def _each_term(chunk: Chunk) -> Iterator[str]:
    yield from chunk.signed
    for token in chunk.tokens:
        if token.kind == "letters":
            yield from _inflected(token.forms[0])
            yield from _inflected(spelled_out(token.text))
            humps = _HUMP.split(token.text)
            for hump in humps if len(humps) > 1 else ():
                yield from _inflected(folded(hump))
        elif token.kind == "unspaced":
            yield from token.forms[0]
            yield from _pairs(token.forms[0])
        else:
            yield from token.forms
            if token.text[0] == "0":
                yield token.text.lstrip("0") or "0"
    if len(chunk.tokens) > 1 and chunk.joined:
        yield from _inflected(chunk.joined)


def _spoken(chunk: Chunk) -> Iterator[str]:
    if chunk.signed and len(chunk.tokens) == 1:
        yield chunk.signed[0]
        return
    for token in chunk.tokens:
        yield token.forms[0] if token.kind == "number" else token.text.casefold()


@lru_cache(maxsize=5_000)
def _spelling_words(chunk: Chunk) -> tuple[str, ...]:
    letters = [token.forms[0] for token in chunk.tokens if token.kind == "letters"]
    return tuple(
        word
        for word in (*letters, chunk.joined)
        if word not in STOP_WORDS and _SPELLED.fullmatch(word)
    )


def _neighbours(name: str) -> Iterator[str]:
    """`desklamp` for "Desk Lamp", `usbc` for "USB-C Hub": people write them as one word."""
    tokens = (token for chunk in chunks(name) for token in chunk.tokens)
    forms = [token.forms[0] for token in tokens if token.kind != "unspaced"]
    for one, other in pairwise(forms):
        if not (one + other).isdecimal():
            yield from _inflected(one + other)


def _inflected(word: str) -> tuple[str, str]:
    return word, stem(word)


def _pairs(characters: str) -> list[str]:
    return [one + other for one, other in pairwise(characters)]


def _word(chunk: Chunk) -> Word:
    tokens, joined = chunk.tokens, chunk.joined
    text = joined or " ".join(token.forms[0] for token in tokens)
    if chunk.signed and len(tokens) == 1:
        return Word(text, ((chunk.signed[0],),), relaxed=(tuple(map(stem, tokens[0].forms)),))
    # "it's" says no more than "it"; AT&T is a name.
    is_stop_word = all(token.forms[0] in STOP_WORDS for token in tokens) and all(
        token.is_suffix for token in tokens[1:]
    )
    if len(tokens) == 1:
        readings = tuple(dict.fromkeys(_readings(tokens[0])))
        return Word(text, readings, is_stop_word, _relaxed(tokens[0]))
    parts = [token for token in tokens if not token.is_suffix] or tokens
    each = [_readings(token)[0] for token in parts]
    as_one = ((stem(joined),),) if joined else ()
    relaxed = (
        _together([*each[:place], loose, *each[place + 1 :]])
        for place, token in enumerate(parts[:MAX_RELAXED_TOKENS])
        for loose in _relaxed(token)
    )
    return Word(text, (*as_one, _together(each)), is_stop_word, tuple(relaxed))


def _together(each: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(each)))


def _relaxed(token: Token) -> tuple[tuple[str, ...], ...]:
    """What a run of characters may mean that is nowhere as it is.

    透明 and ケース for 透明ケース, because a new word often begins where the writing changes. Or
    all but one place, where a word ends (ガラステーブル), a particle hangs on (램프를) or an
    error is. Or all characters of Chinese words in another order (蓝牙无线耳机): there are so many
    characters that few products have the same by chance.
    """
    if token.kind != "unspaced":
        return ()
    characters = token.forms[0][: MAX_RELAXED + 1]
    parts, pairs = _WRITINGS.findall(characters), _pairs(characters)
    apart = [pair for part in parts for pair in _pairs(part) or [part]]
    gap = 2 if len(pairs) > 4 else 1
    starts = range(len(pairs) - gap + 1) if len(pairs) > 1 else ()
    found = [pairs[:start] + pairs[start + gap :] for start in starts]
    if len(characters) >= MIN_REORDERED and _HAN.fullmatch(characters):
        found.append(list(characters))
    return tuple(tuple(dict.fromkeys(each)) for each in ([apart] if len(parts) > 1 else []) + found)


def _readings(token: Token) -> list[tuple[str, ...]]:
    """The ways to find a token; each is terms that have to be there together."""
    if token.kind == "unspaced":
        characters = token.forms[0]
        return [tuple(dict.fromkeys(_pairs(characters)[:MAX_PAIRS])) or (characters,)]
    if token.kind == "letters":
        return [(stem(form),) for form in (*token.forms, spelled_out(token.text))]
    return [(form,) for form in token.forms]
