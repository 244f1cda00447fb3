"""A wave's label as a point in time, where it is one: a month, a quarter or a year; else a label that data carry."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

Kind = Literal["month", "quarter", "year", "label"]
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_YEAR = re.compile(r"(\d{4})")


@dataclass(frozen=True)
class Period:
    """What a label says; `number` counts periods of its kind, so that a missing wave leaves its room on an axis."""

    kind: Kind
    label: str
    first_day: date | None = None
    number: int | None = None


def period(wave: str) -> Period:
    """The period that a wave's label names; anything else is a label, and stays as it is."""
    if match := _MONTH.fullmatch(wave):
        year, month = int(match[1]), int(match[2])
        return _period("month", wave, year, month, number=year * 12 + month)
    if match := _QUARTER.fullmatch(wave):
        year, quarter = int(match[1]), int(match[2])
        return _period("quarter", wave, year, quarter * 3 - 2, number=year * 4 + quarter)
    if match := _YEAR.fullmatch(wave):
        return _period("year", wave, int(match[1]), 1, number=int(match[1]))
    return Period("label", wave)


def _period(kind: Kind, wave: str, year: int, month: int, *, number: int) -> Period:
    return Period("label", wave) if year < 1 else Period(kind, wave, date(year, month, 1), number)


def positions(waves: list[str]) -> list[int]:
    """Where each wave stands on a time axis, from 0: periods of one kind by their number, others side by side."""
    found = [period(wave) for wave in waves]
    numbers = [item.number for item in found if item.number is not None]
    rising = all(before < after for before, after in pairwise(numbers))
    if len({item.kind for item in found}) == 1 and len(numbers) == len(waves) and rising and numbers:
        return [number - numbers[0] for number in numbers]
    return list(range(len(waves)))


def kind_of(waves: list[str]) -> Kind:
    """The kind that all waves share, else a label."""
    kinds = {period(wave).kind for wave in waves}
    return kinds.pop() if len(kinds) == 1 else "label"
