"""What text may hold: rules over characters, as regular expressions that Python and ECMA-262 read
alike, so that the published description can state them too."""

import re
import unicodedata

#: C0 (but line feed and tab), DEL and C1. U+0085 among them is a line break of Unicode.
CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
#: What ends a line, or turns the direction of what follows (UAX #9), in text of one line.
NOT_IN_A_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u206f"
#: White space that is no control character.
BLANK = r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: Characters that nobody sees: Unicode's Default_Ignorable_Code_Point below U+10000, the Braille
#: blank, and what is no character at all. Joiners are among them: fine in a word, but not alone.
INVISIBLE = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
)
#: A word as RFC 2047 encodes it in a mail header: a mail program may decode it, so what it says
#: there has passed no check here. Many decode one with a question mark in it, too.
ENCODED_WORD = r"=\?[^?]*\?[^?]*\?.*\?="

#: Combining marks on one letter, by Unicode's stream-safe text format (UAX #15, 13). No writing has
#: more, and to put them in order takes a time that grows with the square of their number.
MAX_MARKS = 30

_CONTROL = re.compile(f"[{CONTROL}]")
_NOT_IN_A_LINE = re.compile(f"[{NOT_IN_A_LINE}]")
_ENCODED_WORD = re.compile(ENCODED_WORD)
_BLANK = re.compile(rf"[\t\n{BLANK}]*")
#: Tags, variation selectors and other ignorable characters beyond U+FFFF count as invisible too.
_VISIBLE = re.compile(
    rf"[^\t\n{CONTROL}{BLANK}{INVISIBLE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)
#: Invisible characters that carry nothing at the ends of a text; joiners and marks of direction do.
_PADDING = "\u200b\u2060\ufeff\xad"


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space, as in an empty field of a form."""
    return _BLANK.fullmatch(text) is not None


def normalize(text: str) -> str:
    """The text in Unicode's form C, without white space and invisible characters at its ends."""
    text = unicodedata.normalize("NFC", text)
    while text != (text := text.strip().strip(_PADDING)):
        pass
    return text


def _is_stacked(text: str) -> bool:
    """Whether more than `MAX_MARKS` combining marks follow each other."""
    if text.isascii():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MAX_MARKS:
            return True
    return False


def fault_in(text: str, *, one_line: bool) -> str | None:
    """A sentence about what the text must not hold, None when there is nothing of that."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can carry and UTF-8 cannot
        return "Not valid Unicode."
    if _CONTROL.search(text):
        return "Control characters are not allowed."
    if _is_stacked(text):
        return f"More than {MAX_MARKS} accents on one letter."
    if one_line and _NOT_IN_A_LINE.search(text):
        return "One line only: no line breaks, tabs or characters that turn the direction of text."
    if one_line and _ENCODED_WORD.search(text):
        return "Encoded words (=?...?=) are not allowed: write the text itself."
    return None


def is_visible(text: str) -> bool:
    """Whether there is something to see."""
    return _VISIBLE.search(text) is not None


def pattern(*, one_line: bool, may_be_blank: bool, may_be_empty: bool) -> str:
    """The same rules as one pattern of JSON Schema; it leaves out what is beyond U+FFFF.

    `may_be_blank`: white space alone is taken, as not given; `may_be_empty`: nothing need be there.
    """
    banned = NOT_IN_A_LINE if one_line else CONTROL
    start = rf"^(?!.*{ENCODED_WORD})" if one_line else "^"
    if may_be_empty:
        return f"{start}[^{banned}]*$"
    something = rf"[^{banned}]*[^\t\n{banned}{BLANK}{INVISIBLE}][^{banned}]*"
    if may_be_blank:
        something = rf"(?:[\t\n{BLANK}]*|{something})"
    return f"{start}{something}$"
