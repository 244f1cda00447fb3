"""One language: messages from its catalogue, and numbers, intervals and waves as its readers write them."""

import gettext
import io
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup, escape

from transforms.report.figures import rounded, whole
from transforms.report.periods import Kind, kind_of, period

SOURCE = "en"  # the messages are written in English; every other language has a catalogue
_LOCALES = {"en": "en", "nl": "nl"}


class Words:
    """What the pages say in one language; two of the same language are the same."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = _LOCALES[language]
        self._catalogue = catalogue(language)

    def say(self, message: str, **values: Any) -> str:
        """A message in this language; where a value is markup, all else is escaped."""
        return _filled(self._catalogue.gettext(message), values)

    def count(self, one: str, many: str, number: int, **values: Any) -> str:
        """A message that depends on a number, which it may name as %(number)s."""
        message = self._catalogue.ngettext(one, many, number)
        return _filled(message, {"number": self.number(number), **values})

    def number(self, value: int) -> str:
        """A whole number with this language's grouping and a real minus sign."""
        return format_decimal(value, locale=self._locale).replace("-", "−")

    def spelled(self, value: int) -> str:
        """A small number as a word, as running text has it; a larger one in figures."""
        names = _small_numbers(self)
        return names[value] if 0 < value < len(names) else self.number(value)

    def decimal(self, value: float, digits: int) -> str:
        """A number with exactly so many decimals, halves away from zero."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(_unsigned_zero(rounded(value, digits)), pattern, self._locale).replace("-", "−")

    def points(self, value: float) -> str:
        """An NPS as a whole number of points."""
        return self.number(whole(value))

    def signed(self, value: float) -> str:
        """A change in whole points, with its sign."""
        return ("+" if whole(value) > 0 else "") + self.points(value)

    def percent(self, rate: float, digits: int = 0) -> str:
        """A fraction as a percentage."""
        return f"{self.decimal(rate * 100, digits)}%"

    def between(self, low: float, high: float) -> str:
        """An interval of points in prose."""
        return self.say("between %(low)s and %(high)s", low=self.points(low), high=self.points(high))

    def between_percent(self, low: float, high: float) -> str:
        """An interval of rates in prose."""
        return self.say("between %(low)s and %(high)s", low=self.percent(low), high=self.percent(high))

    def to(self, low: float, high: float) -> str:
        """An interval of points in a column; a dash would read as a minus sign."""
        return self.say("%(low)s to %(high)s", low=self.points(low), high=self.points(high))

    def to_percent(self, low: float, high: float, digits: int = 0) -> str:
        """An interval of rates in a column."""
        return self.say("%(low)s to %(high)s", low=self.decimal(low * 100, digits), high=self.percent(high, digits))

    def listed(self, items: list[str]) -> str:
        """Several names in a sentence."""
        if len(items) < 2:
            return items[0] if items else ""
        comma = Markup(", ") if any(hasattr(item, "__html__") for item in items) else ", "
        return self.say("%(first)s and %(last)s", first=comma.join(items[:-1]), last=items[-1])

    def language_name(self, language: str) -> str:
        """What a language is called in this one."""
        return str(Locale.parse(self._locale).languages.get(language) or language)

    def money(self, value: float, currency: str) -> str:
        """An amount in whole units of its currency."""
        return format_currency(
            rounded(value, 0), currency, "¤\u00a0#,##0", locale=self._locale, currency_digits=False
        ).replace("-", "−")

    def wave(self, label: str) -> str:
        """A wave in full: October 2026, 4th quarter 2026, 2026, or the label itself."""
        return self._wave(label, {"month": "LLLL y", "quarter": "QQQQ y", "year": "y"})

    def wave_short(self, label: str) -> str:
        """A wave where there is little room: Oct 2026, Q4 2026."""
        return self._wave(label, {"month": "LLL y", "quarter": "QQQ y", "year": "y"})

    def wave_beside(self, label: str, other: str, *, short: bool = False) -> str:
        """A wave named next to another one: without its year where that is the same."""
        mine, theirs = period(label), period(other)
        same_year = mine.first_day and theirs.first_day and mine.first_day.year == theirs.first_day.year
        if same_year and mine.kind == theirs.kind and mine.kind in {"month", "quarter"}:
            return self._wave(label, {"month": "LLL" if short else "LLLL", "quarter": "QQQ" if short else "QQQQ"})
        return self.wave_short(label) if short else self.wave(label)

    def by_period(self, what: str, waves: list[str]) -> str:
        """A heading for figures over time."""
        kind: Kind = kind_of(waves)
        if kind == "month":
            return self.say("%(what)s by month", what=what)
        if kind == "quarter":
            return self.say("%(what)s by quarter", what=what)
        return self.say("%(what)s by year", what=what) if kind == "year" else self.say("%(what)s by wave", what=what)

    def day(self, value: date) -> str:
        """A day in full, with its weekday."""
        return format_date(value, "EEEE d MMMM y", locale=self._locale)

    def time(self, value: datetime) -> str:
        """The time of day to the second."""
        return format_datetime(value, "HH:mm:ss", locale=self._locale)

    def _wave(self, label: str, patterns: dict[str, str]) -> str:
        found = period(label)
        if found.first_day is None or found.kind not in patterns:
            return label
        return format_date(found.first_day, patterns[found.kind], locale=self._locale).replace(".", "")


def _small_numbers(words: Words) -> tuple[str, ...]:
    return (
        "",
        words.say("one"),
        words.say("two"),
        words.say("three"),
        words.say("four"),
        words.say("five"),
        words.say("six"),
        words.say("seven"),
        words.say("eight"),
        words.say("nine"),
        words.say("ten"),
        words.say("eleven"),
        words.say("twelve"),
    )


def collated(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """A key for the alphabet of readers: gate 2 before gate 10; accents and case count only where all else is equal."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    pieces = re.findall(r"[0-9]+|[^0-9]+", plain.casefold())
    return [_place(piece) for piece in pieces], name


def _place(piece: str) -> tuple[bool, int, str]:
    """Numbers first and by size, however many digits; then text."""
    if piece.isascii() and piece.isdigit():
        return False, len(piece.lstrip("0")), piece.lstrip("0")
    return True, 0, piece


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The messages of one language, compiled from its .po file when first asked for."""
    if language == SOURCE:
        return gettext.NullTranslations()
    source = (files("transforms.report") / "languages" / f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _filled(message: str, values: dict[str, Any]) -> str:
    if any(hasattr(value, "__html__") for value in values.values()):
        return escape(message) % values
    return message % values


def _unsigned_zero(value: Decimal) -> Decimal:
    return abs(value) if value == 0 else value
