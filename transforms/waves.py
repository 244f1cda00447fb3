"""Waves as periods of the calendar: which one a label names, and whether it has ended."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

NUMBER = re.compile(r"(\d+)")
PERIOD = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?")


def ends_before(wave: str) -> date | None:
    """The first day after the period that `wave` names (2026-10, 2026-Q4, 2026); None for a label of another kind."""
    found = PERIOD.fullmatch(wave)
    if found is None:
        return None
    year, month, quarter = int(found[1]), found[2], found[3]
    last_month = int(month) if month else int(quarter) * 3 if quarter else 12
    return date(year + last_month // 12, last_month % 12 + 1, 1)


def starts(wave: str) -> date | None:
    """The first day of the period that `wave` names; None for a label of another kind."""
    found = PERIOD.fullmatch(wave)
    if found is None:
        return None
    year, month, quarter = int(found[1]), found[2], found[3]
    return date(year, int(month) if month else 3 * int(quarter) - 2 if quarter else 1, 1)


def has_begun(wave: str, first: str) -> bool:
    """Whether `wave` is `first`, reaches into its period or comes after; labels of another kind do not tell: it has."""
    start, end = starts(first), ends_before(wave)
    if start is None and end is None:
        return _natural(wave) >= _natural(first)
    return start is None or end is None or end > start


def is_over(wave: str, last: str) -> bool:
    """Whether `wave` comes after the whole of `last`; labels of another kind do not tell: it is not."""
    start, end = starts(wave), ends_before(last)
    if start is None and end is None:
        return _natural(wave) > _natural(last)
    return start is not None and end is not None and start >= end


def is_closed(wave: str, today: date) -> bool:
    """Whether no more answers are expected: the period has ended, or the label names none."""
    end = ends_before(wave)
    return end is None or end <= today


def year_before(wave: str) -> str | None:
    """The same period a year earlier (2025-10, 2025-Q4, 2025); None for a label of another kind."""
    return None if PERIOD.fullmatch(wave) is None else f"{int(wave[:4]) - 1:04}{wave[4:]}"


def distances(waves: Sequence[str]) -> list[int]:
    """How many periods lie between each wave and the one before: 1 for the first, and where labels do not tell."""
    return [1, *(_apart(before, wave) for before, wave in pairwise(waves))] if waves else []


def in_order(waves: Iterable[str]) -> list[str]:
    """Waves as they followed each other; labels that name no period come after: Wave 2, then Wave 10."""
    return sorted(set(waves), key=lambda wave: (ends_before(wave) or date.max, _natural(wave), wave))


def chronological(waves: Iterable[str]) -> list[str]:
    """Waves by their first days, whatever their lengths; labels that name no period come after."""
    return sorted(set(waves), key=lambda wave: (starts(wave) or date.max, _natural(wave), wave))


def _apart(before: str, wave: str) -> int:
    earlier, later = ends_before(before), ends_before(wave)
    if earlier is None or later is None or (len(before), "Q" in before) != (len(wave), "Q" in wave):
        return 1
    months = 12 * (later.year - earlier.year) + later.month - earlier.month
    return max(1, months // {4: 12, 7: 3 if "Q" in wave else 1}[len(wave)])


def _natural(label: str) -> list[tuple[int, str]]:
    """A label's texts and numbers in turn; a longer number is a larger one, once its leading zeros are gone."""
    parts = NUMBER.split(label.casefold())
    return [(len(digits), digits) if place % 2 else (0, digits) for place, digits in enumerate(map(_bare, parts))]


def _bare(part: str) -> str:
    return part.lstrip("0") if part.isdecimal() else part
