"""Waves as periods of the calendar: which one a label names, and whether it has ended."""

import re
from collections.abc import Iterable
from datetime import date

PERIOD = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?")


def ends_before(wave: str) -> date | None:
    """The first day after the period that `wave` names (2026-10, 2026-Q4, 2026); None for a label of another kind."""
    found = PERIOD.fullmatch(wave)
    if found is None:
        return None
    year, month, quarter = int(found[1]), found[2], found[3]
    last_month = int(month) if month else int(quarter) * 3 if quarter else 12
    return date(year + last_month // 12, last_month % 12 + 1, 1)


def is_closed(wave: str, today: date) -> bool:
    """Whether no more answers are expected: the period has ended, or the label names none."""
    end = ends_before(wave)
    return end is None or end <= today


def in_order(waves: Iterable[str]) -> list[str]:
    """Waves as they followed each other; labels that name no period come after, by their text."""
    return sorted(set(waves), key=lambda wave: (ends_before(wave) or date.max, wave))
