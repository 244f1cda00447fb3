"""What the pages are made from: one release's frames and the few facts that frames cannot tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from transforms import TransformError
from transforms.report.beside import BESIDE

LANGUAGES = ("en", "nl")
METRICS = (
    "survey",
    "wave",
    "department_id",
    "department",
    "parent_id",
    "level",
    "status",
    "responses",
    "missing_scores",
    "promoters",
    "passives",
    "detractors",
    "nps",
    "nps_low",
    "nps_high",
    "nps_weighted",
    "nps_weighted_low",
    "nps_weighted_high",
    "nps_weighted_se",
    "effective_responses",
    "design_effect",
    "superpromoters",
    "sharers",
    "silent_promoters",
    "unknown_promoters",
    "told_known",
    "told",
    "influence_known",
    "superpromoter_rate",
    "superpromoter_rate_low",
    "superpromoter_rate_high",
    "sharing_rate",
    "sharing_rate_low",
    "sharing_rate_high",
    "influence_rate",
    "influence_rate_low",
    "influence_rate_high",
    "antipromoters",
    "antipromoter_rate",
    "antipromoter_rate_low",
    "antipromoter_rate_high",
    "net_superpromoter",
    "net_superpromoter_low",
    "net_superpromoter_high",
    "reach",
    "reach_low",
    "reach_high",
    "conversion",
    "conversion_low",
    "conversion_high",
    "recommendation_value",
    "recommendation_currency",
    "previous_wave",
    "previous_release_id",
    "nps_change",
    "nps_change_low",
    "nps_change_high",
    "change_p_value",
    "is_change_significant",
)
HIGHLIGHTS = (
    "kind",
    "department_id",
    "department",
    "nps",
    "nps_change",
    "nps_change_low",
    "nps_change_high",
    "change_p_value",
)
QUALITY = ("rule", "kind", "says", "severity", "outcome", "failed_count", "base_count")
DEPARTMENTS = ("department_id", "parent_id", "level", "path")


WHOLE = {
    *("level", "responses", "missing_scores", "promoters", "passives", "detractors"),
    *("told_known", "told", "influence_known"),
}


@dataclass(frozen=True)
class Metric:
    """One department's figures in one wave; None where the mart has NULL."""

    department_id: str
    department: str
    parent_id: str | None
    level: int
    wave: str
    status: str
    responses: int | None = None
    missing_scores: int | None = None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    nps: float | None = None
    nps_low: float | None = None
    nps_high: float | None = None
    nps_weighted: float | None = None
    nps_weighted_low: float | None = None
    nps_weighted_high: float | None = None
    nps_weighted_se: float | None = None
    effective_responses: float | None = None
    design_effect: float | None = None
    told_known: int | None = None
    told: int | None = None
    influence_known: int | None = None
    superpromoter_rate: float | None = None
    superpromoter_rate_low: float | None = None
    superpromoter_rate_high: float | None = None
    sharing_rate: float | None = None
    sharing_rate_low: float | None = None
    sharing_rate_high: float | None = None
    influence_rate: float | None = None
    influence_rate_low: float | None = None
    influence_rate_high: float | None = None
    reach: float | None = None
    reach_low: float | None = None
    reach_high: float | None = None
    conversion: float | None = None
    conversion_low: float | None = None
    conversion_high: float | None = None
    recommendation_value: float | None = None
    recommendation_currency: str | None = None
    previous_wave: str | None = None
    nps_change: float | None = None
    nps_change_low: float | None = None
    nps_change_high: float | None = None
    is_change_significant: bool | None = None

    @property
    def is_published(self) -> bool:
        """Whether this department's figures may be shown; a suppressed one is named and nothing else."""
        return self.status == "published"


@dataclass(frozen=True)
class Changed:
    """One department whose released figures a revision changed; None stands for a figure that was or is not there."""

    department_id: str
    responses: int | None
    previous_responses: int | None
    nps: float | None
    previous_nps: float | None


@dataclass(frozen=True)
class Edition:
    """One release as its pages tell it; no release id, no clock time: the same input gives the same bytes."""

    organisation: str
    languages: tuple[str, ...]  # the first is the default
    survey: str
    titles: Mapping[str, str]  # one per language
    wave: str
    revision: int
    reason: str | None  # why there is a revision; None for the first release
    changes: tuple[Changed, ...]
    definition: str  # version of the definition of superpromoter
    told_min: int
    min_respondents: int
    metrics: pd.DataFrame  # METRICS, in the order of the tree
    departments: pd.DataFrame  # DEPARTMENTS and one column name_<language> per language
    highlights: pd.DataFrame  # HIGHLIGHTS
    quality: pd.DataFrame  # QUALITY
    history: pd.DataFrame  # METRICS of earlier waves, oldest wave first, one revision of each
    superpromoters_asked: bool
    is_weighted: bool
    respondents: Mapping[str, str] | None = None  # "passengers", per language; None: "respondents"
    check_words: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # check: language: what it says; else as in quality, in English
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # those of BESIDE; one that is not there is empty
    drivers_asked: bool = False
    comments_asked: bool = False
    driver_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # driver: language: its label
    driver_scale: tuple[int, int] | None = None  # of the ratings, where all have the same
    interval: str = "adjusted_wald"  # adjusted_wald, score or wald
    margin: float | None = None  # on a customer who was brought in
    invited: int | None = None  # people, to the whole survey; None: nobody says
    response_rate: float | None = None  # of the whole; None also where there are more answers than people

    def __post_init__(self) -> None:
        unknown = [language for language in self.languages if language not in LANGUAGES]
        if unknown or not self.languages:
            raise TransformError(f"pages speak {', '.join(LANGUAGES)}; set organisation.languages to some of these")
        names = tuple(f"name_{language}" for language in self.languages)
        _columns("metrics", self.metrics, METRICS)
        _columns("departments", self.departments, DEPARTMENTS + names)
        _columns("highlights", self.highlights, HIGHLIGHTS)
        _columns("quality", self.quality, QUALITY)
        _columns("history", self.history, METRICS)
        for name, frame in self.tables.items():
            _columns(name, frame, BESIDE[name])


def _columns(name: str, frame: pd.DataFrame, wanted: tuple[str, ...]) -> None:
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise TransformError(f"the frame {name} lacks {', '.join(missing)}; pages need {', '.join(wanted)}")


def metrics_of(frame: pd.DataFrame) -> list[Metric]:
    """The rows of a promoter_metrics frame as plain values, in their order, NULL as None."""
    columns = [field for field in Metric.__dataclass_fields__ if field in frame.columns]
    values = [_plain(frame[column]) for column in columns]
    return [Metric(**dict(zip(columns, row, strict=True))) for row in zip(*values, strict=True)]


def _plain(column: "pd.Series[Any]") -> list[Any]:
    whole = column.name in WHOLE
    shown = column.notna()
    return [
        (int(value) if whole else bool(value) if column.name == "is_change_significant" else value) if there else None
        for value, there in zip(column.tolist(), shown.tolist(), strict=True)
    ]


def changed(metrics: pd.DataFrame, previous_metrics: pd.DataFrame) -> tuple[Changed, ...]:
    """The departments whose answers or NPS differ between a wave's revision and the one before, in tree order."""
    before = {row.department_id: row for row in metrics_of(previous_metrics)}
    rows = ((row, before.get(row.department_id)) for row in metrics_of(metrics))
    found = (
        Changed(
            department_id=row.department_id,
            responses=row.responses,
            previous_responses=old.responses if old else None,
            nps=row.nps,
            previous_nps=old.nps if old else None,
        )
        for row, old in rows
    )
    return tuple(item for item in found if (item.responses, item.nps) != (item.previous_responses, item.previous_nps))
