"""Where a person lives and what he drives: postcodes, streets with a number, licence plates."""

import re
from collections.abc import Iterator

from transforms.personal import DIGIT, Recogniser, Span
from transforms.personal.lists import words

DUTCH = re.compile(r"(?<![\w.,€-])[1-9]\d{3}( ?)([A-Za-z]{2})(?![\w])")
NEVER = frozenset(("SA", "SD", "SS"))  # never issued
BRITISH = re.compile(r"(?<![\w-])(?:GIR ?0AA|[A-PR-UWYZ][A-HJ-Y]?\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})(?![\w-])")

WAYS = (
    "straat|laan|weg|plein|gracht|kade|dijk|singel|steeg|hof|pad|dreef|plantsoen|markt|burg|baan|wal|lei|haven|poort"
    "|park|erf|zijde|berg|kamp|hoek|akker|veld|stee"
)
NOT_A_HOUSE = (
    r"(?! ?(?:km|kilometer|m\b|meter|min|uur|minuten|keer|auto|fiets|mensen|personen|euro|€|%|jaar|graden|boten"
    r"|plaatsen|plekken))"
)
HOUSE = re.compile(
    r"(?:,? (?:nr\.?|huisnummer|nummer|number|no\.?)|[,-])?"
    rf" ?\d{{1,4}}(?:-?[a-zA-Z]|-\d{{1,3}})?(?![\w:]){NOT_A_HOUSE}",
    re.IGNORECASE,
)
POSTCODE_SAID = re.compile(
    r"(?:postcode|post code|zip|\bwoon|\bwonen|\badres|\baddress|\blive)[^.!?]{0,20}$|\d ?[a-z]?,? ?$", re.IGNORECASE
)
YEAR = re.compile("^(?:19|20)")
STREET_NUMBER = rf"\d{{1,4}}(?: ?-? ?[a-zA-Z]|-\d{{1,3}}|bis)?(?![\w:.]\w|\w){NOT_A_HOUSE}"
DUTCH_STREET = re.compile(
    r"(?<![\w-])(?:[A-ZÀ-Þ][\w'.-]{0,30} (?:(?:[A-ZÀ-Þ][\w'.-]{0,30}|van|de|der|den|het|ten|ter|'t) ){0,3})?"
    rf"(?:[A-ZÀ-Þ][\w'-]{{0,40}}?(?:{WAYS}|str\.)|[A-ZÀ-Þ][\w'-]{{1,40}} (?:{WAYS.title()})) ?{STREET_NUMBER}"
)
BRITISH_STREET = re.compile(
    r"(?<![\w.,-])\d{1,4}[a-zA-Z]?,? (?:[A-Z][a-z'-]{1,30} ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Court|Terrace|Gardens|Crescent|Place|Square|Grove|Row|Mews)\b"
)

X, D = "[A-Z]", r"\d"
SIDECODES = (  # the fourteen forms of Dutch plates: letters and digits in three groups
    *("XX-99-99", "99-99-XX", "99-XX-99", "XX-99-XX", "XX-XX-99", "99-XX-XX", "99-XXX-9", "9-XXX-99"),
    *("XX-999-X", "X-999-XX", "XXX-99-X", "X-99-XXX", "9-XX-999", "999-XX-9"),
)


def _form(sidecode: str, between: str) -> str:
    return "".join({"X": X, "9": D, "-": between}[letter] for letter in sidecode)


DASHED = re.compile(
    "(?<![\\w.,-])(?:" + "|".join(_form(code, "-") for code in SIDECODES) + ")(?![\\w-])", re.IGNORECASE
)
SPACED = re.compile(
    "(?<![\\w.,-])(?:" + "|".join(_form(code, " ") for code in SIDECODES) + ")(?![\\w-])", re.IGNORECASE
)
JOINED = re.compile("(?<![\\w.,-])(?:" + "|".join(_form(code, "") for code in SIDECODES) + ")(?![\\w-])", re.IGNORECASE)
FOREIGN = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}\d{2} ?[A-Z]{3}|\d-[A-Z]{3}-\d{3}|[A-ZÄÖÜ]{1,3}[- ][A-Z]{1,2} ?-?\d{1,4})(?![\w-])"
)
VOWELS = re.compile("[AEIOUaeiou]")
MONTHS = frozenset(("mrt", "dgn", "prs", "kmh", "pct", "nrs", "blz", "pts"))
SAID_PLATE = re.compile(
    r"(?:kenteken|kentekenplaat|nummerbord|nummerplaat|\bplate|registration|\breg\b|licen[cs]e|\bauto|\bcar\b|\bvan\b|camper"
    r"|\bbusje|wagen|voertuig|vehicle|motorfiets|caravan|aanhanger)[^.!?]{0,40}$",
    re.IGNORECASE,
)


def postcodes(text: str) -> Iterator[Span]:
    """Dutch postcodes with the house number that follows, and British ones; years and measures look alike and stay."""
    shouts = text.isupper()
    for match in DUTCH.finditer(text):
        if _is_postcode(match, text, shouts=shouts):
            house = HOUSE.match(text, match.end())
            yield match.start(), house.end() if house else match.end()
    yield from (match.span() for match in BRITISH.finditer(text))


def _is_postcode(match: re.Match[str], text: str, *, shouts: bool) -> bool:
    space, letters = match.groups()
    if letters.upper() in NEVER or letters.lower() in words("units"):
        return False
    is_said = POSTCODE_SAID.search(text[max(0, match.start() - 30) : match.start()]) is not None
    if letters.isupper():
        return is_said or not (shouts and letters.lower() in words("two_letter_words"))
    return letters.lower() not in words("two_letter_words") and (not space or is_said or not YEAR.match(match.group()))


def streets(text: str) -> Iterator[Span]:
    """A street and its number: Dutch ones by how their names end, British ones by the word that follows."""
    yield from (match.span() for match in DUTCH_STREET.finditer(text))
    yield from (match.span() for match in BRITISH_STREET.finditer(text))


def plates(text: str) -> Iterator[Span]:
    """Licence plates: Dutch ones of all fourteen forms; without dashes, and foreign ones, where a word says so.

    Plates since 1978 have no vowels: that keeps "9 uur 30" and most product codes.
    """
    for match in DASHED.finditer(text):
        letters = re.sub(r"[^A-Za-z]", "", match.group())
        if letters.lower() not in MONTHS and (not VOWELS.search(letters) or _is_said(text, match)):
            yield match.span()
    for pattern in (SPACED, JOINED):
        for match in pattern.finditer(text):
            letters = re.sub(r"[^A-Za-z]", "", match.group())
            is_shown = letters.isupper() and not VOWELS.search(letters) and pattern is SPACED
            if is_shown or _is_said(text, match):
                yield match.span()
    yield from (match.span() for match in FOREIGN.finditer(text) if _is_said(text, match))


def _is_said(text: str, match: re.Match[str]) -> bool:
    return SAID_PLATE.search(text[max(0, match.start() - 60) : match.start()]) is not None


RECOGNISERS = (
    Recogniser("plate", plates, DIGIT),
    Recogniser("postcode", postcodes, DIGIT),
    Recogniser("street", streets, DIGIT),
)
