"""English words without their endings, and those that say too little to look for."""

import re
import threading
from functools import lru_cache

import snowballstemmer

_LIST = """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she
    her hers herself it its itself they them their theirs themselves what which who whom this that
    these those am is are was were be been being have has had having do does did doing a an the and
    but if or because as until while of at by for with about against between into through during
    before after above below to from up down in out on off over under again further then once here
    there when where why how all any both each few more most other some such no nor not only own
    same so than too very s t can will just don should now
"""
#: Those of Snowball, which PostgreSQL's `english` has too.
STOP_WORDS = frozenset(_LIST.split())

#: What no rule of endings brings together.
_IRREGULAR = {
    "mice": "mouse", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "geese": "goose", "dice": "die",
}  # fmt: skip
_IRREGULAR_ENDING = re.compile("(kni|shel|lea|scar|loa|cal|hal|wol|hoo)ves$")

_stemmer = snowballstemmer.stemmer("english")
_alone = threading.Lock()  # a stemmer keeps its word in itself


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """`lamp` for lamps, by Snowball's rules; words in other letters or with digits as they are."""
    if not (word.isascii() and word.isalpha()) or word in STOP_WORDS:
        return word
    with _alone:
        return _stemmer.stemWord(_singular(word))


def _singular(word: str) -> str:
    if found := _IRREGULAR_ENDING.search(word):
        return word[: found.end(1)] + ("fe" if found[1] == "kni" else "f")
    return _IRREGULAR.get(word, word)
