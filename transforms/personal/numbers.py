"""Numbers that mean one person, told by their checksums or by the plan that they follow: phone, bank, card, citizen."""

import re
from collections.abc import Iterator

from transforms.personal import DIGIT, Recogniser, Span

REGIONS = ("NL", "BE", "DE", "GB", "FR", "LU", "AT", "ES", "IT")  # for numbers without a country code
SEPARATOR = r"[\s()./_-]"
PHONE = re.compile(
    rf"(?<![\w+])(?:\(?\+ ?|\((?=0\d{{1,5}}\))|[0oO](?=\d|{SEPARATOR}{{1,3}}\d))"
    rf"[\dO](?:{SEPARATOR}{{0,3}}\d){{6,15}}(?![\w€%])"
)
CUT = re.compile(rf"(.*\d){SEPARATOR}+\d+$")
AMERICAN = re.compile(r"(?<![\w-])\(?[2-9]\d{2}\)?[-. ]{1,2}\d{3}[-. ]\d{4}(?![\w-])")
BARE_COUNTRY = re.compile(r"(?<![\w+])(?:31|32) ?-?\(?0?\)? ?-?[46](?:[\s-]?\d){8}(?!\w)")
LABELLED = re.compile(
    r"\b(?:tel|telefoon|telefoonnummer|telnr|phone|phone number|mobile|mobiel|mobiele nummer|gsm|whatsapp|app me"
    r"|app mij|bel me|bel mij|bel ons|call me|call us|ring me|my number|mijn nummer|reach me|bereikbaar|doorkiesnummer"
    r"|extension)\b"
    rf"\.?[^\d.!?]{{0,30}}?(\+?\d(?:{SEPARATOR}{{0,2}}\d){{5,14}})(?!\w)",
    re.IGNORECASE,
)
OTHER_NUMBER = re.compile(r"order|boek|book|klant|customer|referen|ticket|vlucht|flight|bestel|reserv", re.IGNORECASE)
SERVICE = re.compile(r"^(?:\+31|0031|0)?[\s()0-]*(?:800|900|906|909|88|14)(?!\d)")  # an organisation's, not a person's
DATE = re.compile(
    r"^\D?\d{1,2}([-/.])\d{1,2}\1(?:\d{4}|\d{2})(?:\s\d{1,2}(?:[.:]?\d{2})?)?$|^\d{1,2} \d{1,2} (?:19|20)\d{2}$"
)
MOBILE = re.compile(r"^0[67]\d{7,9}$")  # also one digit short or long: a slip of the finger hides nobody
WORDS = "nul|zero|oh|een|één|one|twee|two|drie|three|vier|four|vijf|five|zes|six|zeven|seven|acht|eight|negen|nine"
SPOKEN = re.compile(rf"\b(?:{WORDS})(?:[\s,-]{{1,2}}(?:{WORDS})){{6,14}}\b", re.IGNORECASE)

IBAN = re.compile(r"(?<!\w)[A-Z]{2}[ .-]?\d{2}(?=[ .-]?[A-Z0-9])", re.IGNORECASE)
IBAN_LENGTHS = {
    **{"NL": 18, "BE": 16, "DE": 22, "GB": 22, "FR": 27, "ES": 24, "IT": 27, "AT": 20, "CH": 21, "LU": 20, "PL": 28},
    **{"IE": 22, "DK": 18, "PT": 25, "SE": 24, "NO": 15, "FI": 18, "CZ": 24, "GR": 27, "HU": 28, "LT": 20, "LV": 21},
}
DUTCH_ACCOUNT = re.compile(r"^NL\d{2}[A-Z]{4}\d{10}$")  # its form is enough: a mistyped account is still an account

CARD = re.compile(
    r"(?<![\d-])(?:\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}(?:[ -]?\d{3})?|3\d{3}[ -]?\d{6}[ -]?\d{4,5}|[2-6]\d{12})(?![\d])"
)
BSN = re.compile(r"(?<![\d.,€-])\d(?:[ .-]?\d){8}(?![\d]|[.,]\d|[ -]\d)")
SAID_BSN = re.compile(
    r"\b(?:bsn|burgerservicenummer|burger service nummer|sofi|sofinummer|citizen service number|social security"
    r"|national insurance|ni number)\b\D{0,25}?(\d(?:[ .-]?\d){6,8})(?!\d)",
    re.IGNORECASE,
)
BRITISH_INSURANCE = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")


def phones(text: str) -> Iterator[Span]:
    """Phone numbers that their country's plan knows, and any after a word that says so; service numbers stay."""
    for match in LABELLED.finditer(text):
        between = text[match.start() : match.start(1)]
        if not OTHER_NUMBER.search(between) and not _is_not_a_phone(match.group(1)):
            yield match.span(1)
    yield from _planned(text)
    yield from (match.span() for match in AMERICAN.finditer(text) if _is_valid(match.group(), ("US",)))
    yield from (match.span() for match in BARE_COUNTRY.finditer(text) if _is_valid("+" + match.group(), ("NL",)))
    yield from (match.span() for match in SPOKEN.finditer(text))


def _planned(text: str) -> Iterator[Span]:
    """Candidates cut at their separators from the right, until what is left is a number of some plan."""
    position = 0
    while match := PHONE.search(text, position):
        position = match.end()
        if size := _size(match.group()):
            position = match.start() + size
            yield match.start(), position


def _size(candidate: str) -> int:
    """How much of a candidate is a number, by the Dutch plan first; 0 where none of it is."""
    for regions in (REGIONS[:1], REGIONS[1:]):
        rest: str | None = candidate
        while rest is not None and sum(letter.isdigit() for letter in rest) >= 7:
            if not _is_not_a_phone(rest) and _is_valid(rest, regions):
                return len(rest)
            shorter = CUT.match(rest)
            rest = shorter.group(1) if shorter else None
    return 0


def _is_not_a_phone(candidate: str) -> bool:
    return bool(SERVICE.match(candidate) or DATE.match(candidate))


def _is_valid(candidate: str, regions: tuple[str, ...]) -> bool:
    import phonenumbers  # its plans take a while to import

    said = re.sub("[oO]", "0", candidate).replace("_", "-")
    digits = re.sub(r"\D", "", said)
    if MOBILE.match(digits):
        return True
    is_international = said.lstrip("( ").startswith(("+", "00"))
    for region in regions[:1] if is_international else regions:
        try:
            number = phonenumbers.parse(said, region)
        except phonenumbers.NumberParseException:
            continue
        known = phonenumbers.is_possible_number if is_international else phonenumbers.is_valid_number
        if known(number) and digits.endswith(str(number.national_number)):
            return True
    return False


def ibans(text: str) -> Iterator[Span]:
    """International bank account numbers, in any grouping, by their checksum; Dutch ones by their form alone."""
    for match in IBAN.finditer(text):
        letters: list[str] = []
        ends: list[int] = []
        for end, letter in enumerate(text[match.start() : match.start() + 60], start=match.start() + 1):
            if letter.isalnum() and letter.isascii():
                letters.append(letter.upper())
                ends.append(end)
            elif letter not in " .-":
                break
        said = "".join(letters)
        length = IBAN_LENGTHS.get(said[:2])
        for size in [length] if length else range(min(34, len(said)), 14, -1):
            if len(said) >= size and _is_account(said[:size]):
                yield match.start(), ends[size - 1]
                break


def _is_account(said: str) -> bool:
    from stdnum import iban

    return bool(DUTCH_ACCOUNT.match(said) or iban.is_valid(said, check_country=False))


def cards(text: str) -> Iterator[Span]:
    """Numbers of payment cards, by Luhn's checksum."""
    from stdnum import luhn

    for match in CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if digits[0] in "23456" and luhn.is_valid(digits):
            yield match.span()


def bsns(text: str) -> Iterator[Span]:
    """Citizen service numbers: nine digits that pass the eleven test, and any after a word that says so."""
    from stdnum.nl import bsn

    yield from (match.span(1) for match in SAID_BSN.finditer(text))
    yield from (match.span() for match in BRITISH_INSURANCE.finditer(text))
    for match in BSN.finditer(text):
        if bsn.is_valid(re.sub(r"\D", "", match.group())):
            yield match.span()


RECOGNISERS = (
    Recogniser("iban", ibans, DIGIT),
    Recogniser("card", cards, DIGIT),
    Recogniser("phone", phones, re.compile(rf"\d|\b(?:{WORDS})\b", re.IGNORECASE)),
    Recogniser("bsn", bsns, DIGIT),
)
