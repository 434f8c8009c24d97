"""Phone numbers as people write them, kept as E.164: "+442079460958"."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

FAULT = 'Not a phone number. Write it with its country code, such as "+44 20 7946 0958".'
#: Longest text that is looked at.
MAX_LENGTH = 40
_FORM = re.compile(r"[+(]{0,2}[0-9][0-9 ()/.\-]{3,38}")


def plain(written: str) -> str:
    """The same in ASCII, as far as it has to do with phone numbers: digits of all scripts, dashes,
    spaces."""
    shown = without_marks(unicodedata.normalize("NFKC", written))
    return "".join(map(_plain, shown)).strip()


def _plain(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    return {"Pd": "-", "Zs": " "}.get(kind, char)


def without_marks(written: str) -> str:
    """The same without what nobody sees, such as marks of direction."""
    return "".join(char for char in written if unicodedata.category(char) != "Cf")


def is_like_one(written: str) -> bool:
    """Whether `written` has the form of a phone number, of whichever country."""
    return _FORM.fullmatch(plain(written)) is not None


def e164(written: str, country: str | None) -> str:
    """The number that `written` means to somebody in `country`; with a country code it means the
    same everywhere. Raises `ValueError` with a sentence for who wrote it.

    Numbers have to be possible, by their length: whether one is assigned changes by the day.
    """
    written = plain(written)
    if not _FORM.fullmatch(written):
        raise ValueError(FAULT)
    number = _international(written) or _number(written, country)
    if number is None:
        raise ValueError(FAULT)
    if number.extension:
        raise ValueError("Leave out the extension of the phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _international(written: str) -> PhoneNumber | None:
    """What follows 00, where that is how one begins an international number."""
    if not written.startswith("00"):
        return None
    number = _number(f"+{written[2:]}", None)
    return number if number and phonenumbers.is_valid_number(number) else None


def _number(written: str, country: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, country)
    except NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None
