"""Text as it is compared in a search: one form for what people write in several.

Plain Python instead of PostgreSQL's own functions: those depend on the locale and the extensions of
the server (`lower` of É, what is a letter, `unaccent`), and this must mean the same on each.
"""

import re
import unicodedata

# Before NFKC, which would write them as letters: "Dr.Martens™" is not "martenstm".
_NOT_TEXT = dict.fromkeys(map(ord, "™℠®©ªº"), " ")
# Seen by nobody: soft hyphen, joiners, marks of direction, variation selectors.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF,
     *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xFE00, 0xFE10)]
)  # fmt: skip
# Or 1½ would be read as 11/2.
_FRACTIONS = {ord(one): f" {unicodedata.normalize('NFKC', one)}" for one in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
# A zero-width space divides words; the times sign of "140 × 200" is typed as an x.
_PREPARED = _NOT_TEXT | _INVISIBLE | _FRACTIONS | {0x200B: " ", 0xD7: "x"}

#: Letters that Unicode does not take apart into a base and a mark.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ŋ": "n", "ĸ": "k",
     "ŀ": "l", "ſ": "s", "ə": "e", "ɛ": "e", "ɔ": "o", "æ": "ae", "œ": "oe", "þ": "th", "ĳ": "ij",
     "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "\u0640": None, "\u0901": "\u0902"}
)  # fmt: skip
#: Hiragana for katakana: the same sounds, and people type either.
_KANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
# Accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic, the dot below of Hindi,
# which few type. Other marks of other scripts are no ornament: か is not が, and a Thai word
# without its vowels is another one.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\u093c]")
#: How people write these letters where a keyboard has none: Germans, Scandinavians, and whoever
#: needs a micrometre.
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "μ": "u"})


def normalized(text: str) -> str:
    """`text` in Unicode's NFKC, without what cannot be seen and with the digits 0 to 9; large and
    small letters stay."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_PREPARED))
    return re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), text)


def folded(word: str) -> str:
    """A normalised word in small letters without accents: `strasse`, `lodz`, `zizek`, `らんぷ`."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold())
    plain = unicodedata.normalize("NFKC", _ACCENTS.sub("", parts))
    return plain.translate(_LETTERS).translate(_KANA)


def spelled_out(word: str) -> str:
    """A normalised word as keyboards without its letters have it: `kuechen` for Küchen."""
    composed = unicodedata.normalize("NFC", word.casefold())
    return folded(composed.translate(_SPELLED_OUT))
