"""What an organisation keeps of a person: dates of birth, and the numbers of orders, bookings, customers and papers."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from transforms import TransformError
from transforms.personal import DIGIT, Recogniser, Span

if TYPE_CHECKING:
    import regex

SECONDS = 1.0  # for one configured pattern on one comment, which is at most some two thousand characters long

MONTH = (
    r"(?:jan(?:uari|uary)?|feb(?:ruari|ruary)?|mrt|maart|mar(?:ch)?|apr(?:il)?|mei|may|juni?|june?|juli?|july?"
    r"|aug(?:ustus|ust)?|sept?(?:ember)?|okt(?:ober)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
NUMERIC = rf"{DAY}[-/. ]{{1,2}}(?:0?[1-9]|1[0-2])[-/. ]{{1,2}}"
AMERICAN = r"(?:0?[1-9]|1[0-2])/(?:[12]\d|3[01]|0?[1-9])/"
WORDED = rf"{DAY}(?:st|nd|rd|th|e|ste|de)?[ -](?:of )?{MONTH}[ -,]{{0,2}}"
WORDED_FIRST = rf"{MONTH} {DAY}(?:st|nd|rd|th)?,? ?"
LONG_AGO = r"(?:19\d{2}|200\d|2010)"  # whose year alone makes it a date of birth, as good as always
YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})"
FULL = re.compile(
    rf"(?<![\w.,/-])(?:(?:{NUMERIC}|{AMERICAN}|{WORDED}|{WORDED_FIRST}){LONG_AGO}|{LONG_AGO}[-/.](?:0?[1-9]|1[0-2])[-/.]{DAY})"
    r"(?![\w/-]|[.,]\d)",
    re.IGNORECASE,
)
SAID_BIRTH = re.compile(
    r"\b(?:geboren\b|geb\b\.?|geboortedatum\b|geboortedag\b|geb\.?datum\b|verjaar\w{0,9}|jarig\b|born\b|birth ?dates?\b"
    r"|date of birth\b|dob\b|d\.o\.b\.|birthday\b)[^.!?\d]{0,30}?"
    rf"(\b(?:(?:{NUMERIC}|{AMERICAN}|{WORDED}|{WORDED_FIRST}){YEAR}|(?:19|20)\d{{2}}[-/.](?:0?[1-9]|1[0-2])[-/.]{DAY}"
    rf"|{DAY}[-/](?:0?[1-9]|1[0-2])|{WORDED}|{WORDED_FIRST}|(?:19|20)\d{{2}}))(?![\w/]|-\d)",
    re.IGNORECASE,
)

THINGS = (
    "(?:order|bestel|bestellings?|boekings?|booking|reserverings?|reservation|klant(?:en)?|customer|client|ticket|factuur"
    "|invoice|dossier|case|referentie|reference|ref|polis|policy|lidmaatschaps?|leden|membership|member|loyalty|zaak|kaart"
    "|pas|bonus|paspoort|passport|rijbewijs|licen[cs]e|vouchers?|ov-?chipkaart|account|tracking|zending|pnr)"
)
IS_NUMBERED = "(?:nummer|numbers?|nr|no|num|code|id|kenmerk|reference|referentie|ref)"
SAID_NUMBER = re.compile(
    rf"\b{THINGS}[ -]?{IS_NUMBERED}\b[.:]?(?:\s?[:=#(]|\s(?:is|was|met|with|van))?\s?[#(]?"
    r"([A-Z0-9](?:[A-Z0-9/-]{2,24}[A-Z0-9])(?: \d{2,6}){0,3})(?![\w])",
    re.IGNORECASE,
)
SAID_THING = re.compile(
    rf"\b{THINGS}(?:\s?[:#]\s?#?|\s(?=[A-Z0-9-]{{0,12}}\d{{5}})|\s(?=[A-Z]{{1,4}}-?\d{{4}}))"
    r"([A-Z0-9](?:[A-Z0-9/-]{2,24}[A-Z0-9]))(?![\w])",
    re.IGNORECASE,
)


def birth_dates(text: str) -> Iterator[Span]:
    """Dates of birth: any date after a word that says so, and full dates of long ago."""
    yield from (match.span() for match in FULL.finditer(text))
    for match in SAID_BIRTH.finditer(text):
        yield match.start(1), match.start(1) + len(match.group(1).rstrip(" ,-."))


def numbers(text: str) -> Iterator[Span]:
    """Numbers of orders, bookings, customers, tickets and papers, after the word that names them."""
    for match in SAID_NUMBER.finditer(text):
        said = match.group(1)
        if sum(letter.isdigit() for letter in said) >= 2 or (said.isupper() and len(said) == 6):
            yield match.span(1)
    for match in SAID_THING.finditer(text):
        if sum(letter.isdigit() for letter in match.group(1)) >= 3:
            yield match.span(1)


def configured(patterns: Sequence[str]) -> Recogniser:
    """Finds what the organisation's own patterns match; one that takes too long is an error, never a comment let by."""
    import regex  # it can stop in time

    compiled = [regex.compile(pattern) for pattern in patterns]
    return Recogniser("order_number", partial(_found, compiled, seconds=SECONDS))


def _found(patterns: "Sequence[regex.Pattern[str]]", text: str, *, seconds: float) -> Iterator[Span]:
    for number, pattern in enumerate(patterns, start=1):
        try:
            spans = [match.span() for match in pattern.finditer(text, timeout=seconds)]
        except TimeoutError:
            raise TransformError(
                f"the pattern in place {number} of comments.order_numbers takes more than {seconds:g} s on one comment;"
                " write one without repetitions inside repetitions"
            ) from None
        yield from (span for span in spans if span[0] < span[1])


RECOGNISERS = (
    Recogniser("birth_date", birth_dates, DIGIT),
    Recogniser("order_number", numbers, re.compile(r"\d|[A-Z]{6}")),
)
