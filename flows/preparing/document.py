"""`release.json`: what a webhook or a folder receives, the same bytes for everyone, with its JSON Schema beside it."""

import json
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of the document; unknown keys are errors, so that the schema says all there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Figures(Part):
    """One department's figures; where `status` is suppressed, every figure is null."""

    department_id: str = Field(description="all for the organisation, else a slug of the path and a hash")
    department: str = Field(description="name in the organisation's first language")
    parent_id: str | None
    level: int = Field(description="0 for the organisation")
    status: Literal["published", "suppressed"]
    responses: int | None = Field(description="answers with a valid score")
    missing_scores: int | None = Field(description="accepted answers without one")
    promoters: int | None = Field(description="scores 9 and 10")
    passives: int | None = Field(description="scores 7 and 8")
    detractors: int | None = Field(description="scores 0 to 6")
    nps: float | None = Field(description="promoters less detractors, in points, -100 to 100")
    nps_low: float | None = Field(description="lower end of the 95 % interval, adjusted Wald")
    nps_high: float | None
    nps_weighted: float | None = Field(description="the same with weights, where the survey has them")
    nps_weighted_low: float | None
    nps_weighted_high: float | None
    effective_responses: float | None = Field(description="answers that weights leave, after Kish")
    superpromoters: int | None = Field(description="promoters who told others, with effect")
    superpromoter_rate: float | None = Field(description="promoter rate × sharing rate × influence rate, 0 to 1")
    superpromoter_rate_low: float | None
    superpromoter_rate_high: float | None
    sharing_rate: float | None = Field(description="of promoters who said, how many told others")
    influence_rate: float | None = Field(description="of those who told and said, how many had effect")
    antipromoter_rate: float | None
    net_superpromoter: float | None
    previous_wave: str | None
    previous_release_id: str | None = Field(description="the release that changes are measured against")
    nps_change: float | None = Field(description="points since the previous wave")
    nps_change_low: float | None
    nps_change_high: float | None
    change_p_value: float | None = Field(description="adjusted after Benjamini and Hochberg over the departments")
    is_change_significant: bool | None


class Highlight(Part):
    """A department whose NPS changed beyond chance."""

    kind: Literal["rose", "fell"]
    department_id: str
    department: str
    nps: float
    nps_change: float
    nps_change_low: float
    nps_change_high: float
    change_p_value: float


class Quality(Part):
    """What was checked, and what came of it."""

    rule: str
    kind: str
    says: str
    severity: Literal["critical", "warning"]
    outcome: str
    failed_count: int | None
    base_count: int | None


class Change(Part):
    """A department whose released figures a revision changed; null where a figure was not or is no longer there."""

    department_id: str
    responses: int | None
    previous_responses: int | None
    nps: float | None
    previous_nps: float | None


class ReleaseDocument(Part):
    """One release of one wave of a customer survey: everyone receives exactly this."""

    format: Literal["zwerm-release/1"] = "zwerm-release/1"
    release_id: str
    organisation: str
    survey: str
    title: dict[str, str]
    wave: str
    revision: int
    reason: str | None = Field(description="why a revision was made")
    is_material: bool = Field(description="all late answers were let in at once, also where they were few")
    changes: list[Change] = Field(description="what a revision changed")
    previous_release_id: str | None
    definition: str = Field(description="version of the definition of superpromoter, which is Zwerm's own")
    told_min: int
    min_respondents: int
    departments: list[Figures] = Field(description="in the order of the tree")
    highlights: list[Highlight]
    quality: list[Quality]

    def text(self) -> bytes:
        """Canonical JSON: sorted keys, UTF-8, no clock time; the same content gives the same bytes."""
        document = self.model_dump(mode="json")
        return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def schema() -> bytes:
    """The JSON Schema of `release.json`."""
    return json.dumps(ReleaseDocument.model_json_schema(), sort_keys=True, indent=1).encode() + b"\n"


def records(frame: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of `frame` as plain values, missing ones as None."""
    plain = frame[list(columns)].astype(object)
    rows = plain.where(plain.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
