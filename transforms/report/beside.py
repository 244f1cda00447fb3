"""The tables that stand beside the figures: comparisons, changes, trends, drivers, themes and quotes, by department."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import pandas as pd

BESIDE: Mapping[str, tuple[str, ...]] = {
    "comparisons": (
        *("department_id", "department", "nps", "nps_rest"),
        *("rest_difference", "rest_difference_low", "rest_difference_high", "rest_p_value", "is_different_from_rest"),
        *("funnel_centre", "funnel_answer_sd", "funnel_between_sd"),
        *("funnel_low_95", "funnel_high_95", "funnel_low_998", "funnel_high_998", "is_outside_95", "is_outside_998"),
        "nps_shrunken",
    ),
    "changes": (
        *("department_id", "department", "basis", "compared_wave", "compared_release_id", "method"),
        *("nps_change", "nps_change_low", "nps_change_high", "p_value", "is_significant", "is_regrouped"),
    ),
    "trends": (
        *("department_id", "department", "trend_wave", "position", "nps", "nps_low", "nps_high"),
        *("nps_smooth", "nps_smooth_low", "nps_smooth_high", "is_break", "break_reason_en", "break_reason_nl"),
        "is_regrouped",
    ),
    "drivers": (
        *("department_id", "department", "driver", "label", "kind", "left_out", "responses"),
        *("importance", "importance_low", "importance_high", "r_squared"),
        *("rating_superpromoters", "rating_promoters", "rating_passives"),
    ),
    "themes": (
        *("department_id", "department", "language", "kind", "theme", "position", "respondents"),
        *("log_odds", "z_score"),
    ),
    "quotes": ("department_id", "department", "language", "position", "quote"),
}


@dataclass(frozen=True)
class Comparison:
    """A department against everyone else, and in the funnel; None where it is not told."""

    department_id: str
    nps: float | None
    nps_rest: float | None
    rest_difference: float | None
    rest_difference_low: float | None
    rest_difference_high: float | None
    is_different_from_rest: bool | None
    funnel_centre: float | None
    funnel_answer_sd: float | None
    funnel_between_sd: float | None
    funnel_low_95: float | None
    funnel_high_95: float | None
    funnel_low_998: float | None
    funnel_high_998: float | None
    is_outside_95: bool | None
    is_outside_998: bool | None
    nps_shrunken: float | None


@dataclass(frozen=True)
class Movement:
    """A department's NPS against one earlier wave."""

    department_id: str
    basis: str
    compared_wave: str
    method: str
    nps_change: float
    nps_change_low: float
    nps_change_high: float
    is_significant: bool | None


@dataclass(frozen=True)
class Trend:
    """A department in one wave, with the smooth through all."""

    department_id: str
    trend_wave: str
    nps_smooth: float | None
    nps_smooth_low: float | None
    nps_smooth_high: float | None
    is_break: bool | None
    break_reason_en: str | None
    break_reason_nl: str | None

    def reason(self, language: str) -> str | None:
        """What changed, in a language; in the other where that is all there is."""
        told = {"en": self.break_reason_en, "nl": self.break_reason_nl}
        return told.get(language) or self.break_reason_en or self.break_reason_nl


@dataclass(frozen=True)
class Driver:
    """How much goes with the ratings of one subject."""

    department_id: str
    driver: str
    kind: str | None  # strength, lever, or both
    responses: int
    importance: float | None
    importance_low: float | None
    importance_high: float | None
    r_squared: float | None
    rating_superpromoters: float | None
    rating_promoters: float | None
    rating_passives: float | None


@dataclass(frozen=True)
class Theme:
    """A word that sets a group's comments apart."""

    department_id: str
    language: str
    kind: str
    theme: str
    respondents: int


@dataclass(frozen=True)
class Quote:
    """What one superpromoter wrote, personal data removed; nothing else of him."""

    department_id: str
    language: str
    quote: str


T = TypeVar("T")


@dataclass(frozen=True)
class Beside:
    """All of these tables' rows by department, each in the order of its table."""

    comparisons: Mapping[str, Sequence[Comparison]] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Movement]] = field(default_factory=dict)
    trends: Mapping[str, Sequence[Trend]] = field(default_factory=dict)
    drivers: Mapping[str, Sequence[Driver]] = field(default_factory=dict)
    themes: Mapping[str, Sequence[Theme]] = field(default_factory=dict)
    quotes: Mapping[str, Sequence[Quote]] = field(default_factory=dict)


def beside(tables: Mapping[str, pd.DataFrame]) -> Beside:
    """The rows of the tables that are there; of one that is not, none."""
    return Beside(
        comparisons=_by_department(tables, "comparisons", Comparison),
        changes=_by_department(tables, "changes", Movement),
        trends=_by_department(tables, "trends", Trend),
        drivers=_by_department(tables, "drivers", Driver),
        themes=_by_department(tables, "themes", Theme),
        quotes=_by_department(tables, "quotes", Quote),
    )


def _by_department(tables: Mapping[str, pd.DataFrame], name: str, kind: type[T]) -> dict[str, list[T]]:
    frame = tables.get(name)
    found: dict[str, list[T]] = {}
    if frame is None:
        return found
    names = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    for values in zip(*(_plain(frame[column]) for column in names), strict=True):
        row = dict(zip(names, values, strict=True))
        found.setdefault(row["department_id"], []).append(kind(**row))
    return found


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """Plain values, NULL as None; counts whole, whatever type the frame has."""
    name, there = str(column.name), column.notna().tolist()
    kind = int if name in {"responses", "respondents"} else bool if name.startswith("is_") else None
    return [(kind(value) if kind else value) if shown else None for value, shown in zip(column, there, strict=True)]
