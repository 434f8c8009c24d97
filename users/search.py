"""Finding people by words about them: parts of name, user name, e-mail address or phone number.

A word is compared without accents and capitals, and may be in any of these; of one or two letters
it has to begin one. PostgreSQL folds both sides alike (`search_fold` in migration 0008), and an
index on groups of three letters (`search_grams`) keeps it fast, as there is no pg_trgm (ADR 9).
"""

import re

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    bindparam,
    false,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from users.models import User

#: Words of a search that count, and letters of a word.
MAX_WORDS, MAX_LETTERS = 8, 60

_APART = re.compile(r"[\s,;\"()<>]+")
_FOLD = select(func.search_fold(bindparam("search", type_=Text)))
_TOLD = (User.email, User.username, User.first_name, User.last_name, User.phone)


def words(connection: Connection, search: str) -> list[str]:
    """The words of `search`, folded."""
    folded = connection.scalar(_FOLD, {"search": search}) or ""
    return [word[:MAX_LETTERS] for word in _APART.split(folded) if word][:MAX_WORDS]


def matches(words: list[str]) -> ColumnElement[bool]:
    """Whether a user is found by all of `words`, and not by none."""
    wanted = sorted({gram for word in words for gram in grams(word)})
    found = func.search_grams(*_TOLD, type_=ARRAY(Text)).contains(literal(wanted, ARRAY(Text)))
    told = func.search_text(*_TOLD, type_=Text)
    parts = (told.contains(word, autoescape=True) for word in words if len(word) > 2)
    return and_(found, *parts) if words else false()


def grams(word: str) -> list[str]:
    """What is in the index of each user who has `word`: its groups of three letters, or the short
    word itself as a beginning, which a space marks."""
    if len(word) < 3:
        return [" " + word]
    return [word[place : place + 3] for place in range(len(word) - 2)]
