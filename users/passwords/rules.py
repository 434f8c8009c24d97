"""Which passwords are good enough.

Length counts, composition does not (NIST SP 800-63B): no rule demands digits or capitals. What is
tried first is refused (OWASP ASVS 5.0, 6.2.4 and 6.2.11): the 30,000 commonest passwords, and
whatever is as easy to find as a common word, a name, a year, a row of keys, or what the user or the
shop is called, with some digits and signs around it. zxcvbn estimates how many guesses that takes.
"""

import math
import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

from users.passwords.common_passwords import COMMON

#: Of all sample accounts, and in the README. Only they may have it, and only in a demo.
PUBLIC = "demo-Passw0rd"
TOO_EASY = "Too easy to guess, take another one."
#: What a user is called, as far as it can be told: none of it is a password.
NAMES = ("email", "username", "first_name", "last_name")

#: Powers of ten: so many guesses a password must take, and so many make a word no common one.
#: Eight random letters take 10^8; a common word and a year about 10^7.
_GUESSES, _RARE = 7.5, 5.0
#: The time that an estimate takes grows with the square of the length: 7 ms for so many characters.
#: More of them make no password easier.
_ESTIMATED = 40
#: Digits and signs around a common word add little; with more than this they count.
_AROUND = 6
_NO_LETTERS = r"[\W\d_]*"
_WORD = re.compile(rf"({_NO_LETTERS})(.*?)({_NO_LETTERS})", re.DOTALL)
#: Of names, parts that are worth a look.
_MIN_PART = 3


def is_guessable(password: str, *names: str | None) -> bool:
    """True for what is tried first; `names` is what the user and the shop are called."""
    plain = password.casefold()
    if plain in COMMON or plain == PUBLIC.casefold():
        return True
    parts = list(_parts(names))
    around = _WORD.fullmatch(plain)
    before, word, after = around.groups() if around else ("", plain, "")
    if word and len(before + after) <= _AROUND and _is_common(word, parts):
        return True
    return _guesses(password, parts) < _GUESSES


def _is_common(word: str, names: list[str]) -> bool:
    """Whether it is a word that many passwords are made of, or somebody's name."""
    return word in _WORDS or _guesses(word, names) < _RARE


def _guesses(text: str, names: list[str]) -> float:
    """How many guesses it takes, as a power of ten."""
    found = zxcvbn(text[:_ESTIMATED], user_inputs=names)["guesses"]
    return math.log10(found)


def _parts(names: Iterable[str | None]) -> Iterable[str]:
    """The names and their parts: of "anna.berg@example.com" also "anna", "berg" and "annaberg"."""
    for name in ("shop", *names):
        plain = (name or "").casefold()
        local = plain.partition("@")[0]
        words = re.split(r"[\W\d_]+", plain)
        yield from (part for part in (plain, local, *words) if len(part) >= _MIN_PART)
        yield re.sub(r"[\W\d_]+", "", local)


#: Months and seasons, with which people count the passwords that they have to change, and what they
#: call a password, in the languages of our buyers; zxcvbn knows the English ones.
_LIST = """
passwort kennwort geheim motdepasse azerty contraseña contrasena clave wachtwoord senha hasło
haslo lösenord adgangskode salasana heslo jelszo parola пароль
frühling fruehling sommer herbst januar februar märz maerz april juni juli oktober dezember
montag dienstag mittwoch donnerstag freitag samstag sonntag
printemps été ete automne hiver janvier février fevrier mars avril juin juillet août aout
septembre octobre novembre décembre decembre
primavera verano otoño otono invierno enero febrero marzo abril mayo junio julio agosto
septiembre octubre noviembre diciembre
estate autunno inverno gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
lente zomer herfst januari februari maart mei augustus
"""
_WORDS = frozenset(_LIST.split())
