"""Numbers, intervals and waves as pages have them in each language: our own way of writing, not that of the pages.

A page that formats wrongly is found as much as one that computes.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

Both = tuple[str, str]  # English, Dutch
LANGUAGES = ("en", "nl")
GONE = "·"
MONTHS: Sequence[Both] = (
    *(("January", "januari"), ("February", "februari"), ("March", "maart"), ("April", "april"), ("May", "mei")),
    *(("June", "juni"), ("July", "juli"), ("August", "augustus"), ("September", "september")),
    *(("October", "oktober"), ("November", "november"), ("December", "december")),
)
SHORT: Sequence[Both] = (
    *(("Jan", "jan"), ("Feb", "feb"), ("Mar", "mrt"), ("Apr", "apr"), ("May", "mei"), ("Jun", "jun"), ("Jul", "jul")),
    *(("Aug", "aug"), ("Sep", "sep"), ("Oct", "okt"), ("Nov", "nov"), ("Dec", "dec")),
)
SMALL: Sequence[Both] = (
    *(("", ""), ("one", "één"), ("two", "twee"), ("three", "drie"), ("four", "vier"), ("five", "vijf"), ("six", "zes")),
    *(("seven", "zeven"), ("eight", "acht"), ("nine", "negen"), ("ten", "tien"), ("eleven", "elf")),
    ("twelve", "twaalf"),
)


def rounded(value: float, digits: int = 0) -> Decimal:
    """With so many decimals, halves away from zero."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


class Writing:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.place = LANGUAGES.index(language)

    def of(self, both: Both) -> str:
        """What this language has of two."""
        return both[self.place]

    def say(self, both: Both, **values: object) -> str:
        """A sentence with its values."""
        return self.of(both).format(**values)

    def number(self, value: float | None, digits: int = 0) -> str:
        """1,234.5 or 1.234,5; a dot where there is none."""
        if value is None:
            return GONE
        exact = rounded(value, digits)
        text = f"{abs(exact):,.{digits}f}"
        text = text.translate(str.maketrans(",.", ".,")) if self.language == "nl" else text
        return ("−" if exact < 0 else "") + text

    def signed(self, value: float | None) -> str:
        """A change, with its sign."""
        return ("+" if value is not None and rounded(value) > 0 else "") + self.number(value)

    def percent(self, rate: float | None, digits: int = 0) -> str:
        """A fraction in per cent."""
        return GONE if rate is None else f"{self.number(rate * 100, digits)}%"

    def to(self, low: float | None, high: float | None) -> str:
        """An interval of points in a column."""
        if low is None or high is None:
            return GONE
        return f"{self.number(low)} {self.of(('to', 'tot'))} {self.number(high)}"

    def to_percent(self, low: float | None, high: float | None, digits: int = 0) -> str:
        """An interval of fractions in a column."""
        if low is None or high is None:
            return GONE
        return f"{self.number(low * 100, digits)} {self.of(('to', 'tot'))} {self.percent(high, digits)}"

    def between(self, low: str, high: str) -> str:
        """An interval in a sentence."""
        return self.say(("between {low} and {high}", "tussen {low} en {high}"), low=low, high=high)

    def spelled(self, number: int) -> str:
        """A number in a sentence: up to twelve as a word."""
        return self.of(SMALL[number]) if 0 < number < len(SMALL) else self.number(number)

    def listed(self, items: Sequence[str]) -> str:
        """Names in a sentence."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {self.of(('and', 'en'))} {items[-1]}"

    def wave(self, label: str, *, beside: str = "", short: bool = False) -> str:
        """A month; without its year next to a wave of the same year."""
        year, month = label.split("-")
        name = self.of((SHORT if short else MONTHS)[int(month) - 1])
        return name if beside[:4] == year else f"{name} {year}"


def capital(sentence: str) -> str:
    """A sentence with its first letter large; a capital carries no accent."""
    return {"é": "E"}.get(sentence[:1], sentence[:1].upper()) + sentence[1:]
