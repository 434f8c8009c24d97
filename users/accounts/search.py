"""Finding people by words about them: parts of name, user name, e-mail address or phone number.

A word is compared without accents and capitals, and may be in any of these; of one or two letters
it has to begin one. PostgreSQL folds both sides alike (`search_fold` in migration 0008), and an
index on groups of three letters (`search_grams`) keeps it fast, as there is no pg_trgm (ADR 9).
"""

import re
import unicodedata
from typing import Any

import idna
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
_TOLD = ("email", "username", "first_name", "last_name", "phone")


def words(connection: Connection, search: str) -> list[str]:
    """The words of `search`, folded."""
    kept = " ".join(map(as_in_emails, search.split()))
    folded = connection.scalar(_FOLD, {"search": kept}) or ""
    return [word[:MAX_LETTERS] for word in _APART.split(folded) if word][:MAX_WORDS]


def as_in_emails(word: str) -> str:
    """A word of a search as it stands in the e-mail addresses that are kept, where it may be a part
    of one: an international domain is in ASCII there."""
    usual = unicodedata.normalize("NFKC", word).replace("\u3002", ".")
    local, at, domain = usual.rpartition("@")
    if domain.isascii() or "." not in domain:
        return usual
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return usual


def matches(words: list[str], users: Any) -> ColumnElement[bool]:
    """Whether one of `users` (columns) is found by all of `words`, and not by none; by looking at
    what is told."""
    told = func.search_text(*(users[name] for name in _TOLD), type_=Text)
    parts = literal(" ") + func.regexp_replace(told, "[^[:alnum:]]+", " ", "g", type_=Text)
    found = (
        parts.contains(" " + word, autoescape=True)
        if len(word) < 3
        else told.contains(word, autoescape=True)
        for word in words
    )
    return and_(*found) if words else false()


def indexed(words: list[str]) -> ColumnElement[bool]:
    """What is true of all users that `words` find, and of few others; by the index."""
    wanted = sorted({gram for word in words for gram in grams(word)})
    told = (User.__table__.c[name] for name in _TOLD)
    return func.search_grams(*told, type_=ARRAY(Text)).contains(literal(wanted, ARRAY(Text)))


def grams(word: str) -> list[str]:
    """What is in the index of each user who has `word`: its groups of three letters, or the short
    word itself as a beginning, which a space marks."""
    if len(word) < 3:
        return [" " + word]
    return [word[place : place + 3] for place in range(len(word) - 2)]
