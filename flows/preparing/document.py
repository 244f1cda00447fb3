"""`release.json`: what a webhook or a folder receives, the same bytes for everyone, with its JSON Schema beside it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of the document; unknown keys are errors, so that the schema says all there is."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
    nps_low: float | None = Field(description="lower end of the 95 % interval, by the method that `interval` names")
    nps_high: float | None
    nps_weighted: float | None = Field(description="the same with weights, where the survey has them")
    nps_weighted_low: float | None = Field(
        description="lower end of its 95 % interval: adjusted Wald, whatever `interval` says"
    )
    nps_weighted_high: float | None
    nps_weighted_se: float | None = Field(
        description="its standard error over strata and clusters, in points; null where neither is known"
    )
    effective_responses: float | None = Field(
        description="answers that weights leave, after Kish; where strata or clusters are known, that the design leaves"
    )
    design_effect: float | None = Field(description="responses over effective_responses: what weights and design cost")
    superpromoters: int | None = Field(description="promoters who told others, with effect")
    sharers: int | None = Field(description="promoters who told others, without effect")
    silent_promoters: int | None = Field(description="promoters who told nobody, or fewer than told_min")
    unknown_promoters: int | None = Field(description="promoters who left out an answer that would tell which they are")
    told_known: int | None = Field(description="promoters who said whether they told others")
    told: int | None = Field(description="of those, who told at least told_min others")
    influence_known: int | None = Field(description="of those, who said what came of it")
    superpromoter_rate: float | None = Field(description="promoter rate × sharing rate × influence rate, 0 to 1")
    superpromoter_rate_low: float | None
    superpromoter_rate_high: float | None
    sharing_rate: float | None = Field(description="of promoters who said, how many told others")
    sharing_rate_low: float | None
    sharing_rate_high: float | None
    influence_rate: float | None = Field(description="of those who told and said, how many had effect")
    influence_rate_low: float | None
    influence_rate_high: float | None
    antipromoters: int | None = Field(description="detractors who warned others, with effect")
    antipromoter_rate: float | None = Field(description="detractor rate × share who warned × share with effect")
    antipromoter_rate_low: float | None
    antipromoter_rate_high: float | None
    net_superpromoter: float | None = Field(description="superpromoter_rate less antipromoter_rate")
    net_superpromoter_low: float | None
    net_superpromoter_high: float | None
    reach: float | None = Field(
        description="people told per promoter who said how many, at least: of bands the lower end"
    )
    reach_low: float | None
    reach_high: float | None
    conversion: float | None = Field(description="of the people told, the share who acted on it")
    conversion_low: float | None
    conversion_high: float | None
    recommendation_value: float | None = Field(
        description="customers whom the promoters among the answers brought in × margin, in recommendation_currency"
    )
    recommendation_currency: str | None
    previous_wave: str | None
    previous_release_id: str | None = Field(description="the release that changes are measured against")
    nps_change: float | None = Field(description="points since the previous wave")
    nps_change_low: float | None
    nps_change_high: float | None
    change_p_value: float | None = Field(description="adjusted after Benjamini and Hochberg over the departments")
    is_change_significant: bool | None


class Place(Part):
    """Where a department stands in the tree, and from when until when."""

    department_id: str
    path: list[str] = Field(description="names from the top down, as the data have them; empty for the organisation")
    valid_from: str | None = Field(description="the first wave that it is a department of; null: since ever")
    valid_until: str | None = Field(description="the last one; null: until further notice")


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


class Comparison(Part):
    """One published department against everyone else, and in the funnel of all; in points."""

    department_id: str
    department: str
    nps: float | None
    nps_rest: float | None = Field(description="NPS of everyone outside the department")
    rest_difference: float | None = Field(description="nps less nps_rest")
    rest_difference_low: float | None
    rest_difference_high: float | None
    rest_p_value: float | None = Field(description="adjusted after Benjamini and Hochberg over the departments")
    is_different_from_rest: bool | None
    funnel_centre: float | None = Field(description="the score of all lowest published departments together")
    funnel_answer_sd: float | None = Field(description="of one answer; limits: centre ± z√(sd²/responses + between²)")
    funnel_between_sd: float | None = Field(description="how much departments differ beyond chance")
    funnel_low_95: float | None = Field(description="between these, 95 of 100 departments of this size would lie")
    funnel_high_95: float | None
    funnel_low_998: float | None
    funnel_high_998: float | None
    is_outside_95: bool | None
    is_outside_998: bool | None
    nps_shrunken: float | None = Field(description="the estimate drawn towards the mean, the more the fewer answers")


class Movement(Part):
    """A department's NPS against an earlier wave."""

    department_id: str
    department: str
    basis: Literal["previous", "year_before"]
    compared_wave: str
    compared_release_id: str
    method: Literal["independent", "paired", "overlapping"]
    nps_change: float
    nps_change_low: float
    nps_change_high: float
    p_value: float | None
    is_significant: bool | None
    is_regrouped: bool = Field(description="held against the earlier wave in today's tree: departments moved since")


class Trend(Part):
    """A department's NPS in one wave, and the smooth through all of them."""

    department_id: str
    department: str
    trend_wave: str
    position: int
    nps: float | None
    nps_low: float | None
    nps_high: float | None
    nps_smooth: float | None
    nps_smooth_low: float | None
    nps_smooth_high: float | None
    is_break: bool = Field(description="whether the survey's method changed with this wave: the smooth begins anew")
    break_reason_en: str | None = Field(description="what changed, in English")
    break_reason_nl: str | None = Field(description="the same in Dutch")
    is_regrouped: bool = Field(description="the wave's figure was added up again along the departments of today")


class Regrouped(Part):
    """What an earlier release says of a department of today, where departments moved since: whole regions of it."""

    department_id: str
    department: str
    parent_id: str | None
    level: int
    compared_wave: str
    compared_release_id: str = Field(description="the release that it was added up from")
    status: Literal["published", "suppressed"]
    responses: int | None
    promoters: int | None
    passives: int | None
    detractors: int | None
    nps: float | None
    nps_low: float | None = Field(description="lower end of the 95 % interval, adjusted Wald")
    nps_high: float | None


class Driver(Part):
    """How much of the differences between scores goes with one driver's ratings: association, not cause."""

    department_id: str
    department: str
    driver: str = Field(description="as the configuration names it")
    label: str = Field(description="what readers call it, in the organisation's first language")
    kind: Literal["strength", "lever", "both"] | None = Field(
        description="strength: matters more than its equal share, and superpromoters rate it high; lever: matters as "
        "much, and passives rate it lower, below that; the definition is Zwerm's own"
    )
    left_out: Literal["constant", "collinear"] | None = Field(
        description="why it has no importance: its ratings do not vary, or follow from those of drivers before it"
    )
    responses: int = Field(description="answers with a score and every rating")
    importance: float | None = Field(description="Johnson's relative weight as a share of R², 0 to 1")
    importance_low: float | None
    importance_high: float | None
    r_squared: float
    rating_superpromoters: float | None
    rating_promoters: float | None
    rating_passives: float | None


class Theme(Part):
    """A word that sets a group's comments apart from the others'."""

    department_id: str
    department: str
    language: str
    kind: str = Field(description="whose word it is: promoters, passives, or detractors")
    theme: str
    position: int
    respondents: int
    log_odds: float
    z_score: float


class Quote(Part):
    """What one superpromoter wrote, personal data removed."""

    department_id: str
    department: str
    language: str
    position: int
    quote: str


class Segment(Part):
    """What those in a department say who gave one answer to another question; suppressed: every figure is null."""

    department_id: str
    department: str
    segment: str = Field(description="as the configuration names it")
    value: str | None = Field(description="what was answered; null for those of whom it is not known")
    status: Literal["published", "suppressed"]
    responses: int | None
    promoters: int | None
    passives: int | None
    detractors: int | None
    nps: float | None
    nps_low: float | None
    nps_high: float | None


class Rolling(Part):
    """A department over several waves pooled; suppressed: every figure is null."""

    department_id: str
    department: str
    waves: int = Field(description="how many waves are pooled, the last of them this one")
    pooled_waves: list[str]
    pooled_release_ids: list[str] = Field(description="the releases of the earlier ones whose answers are pooled")
    status: Literal["published", "suppressed"]
    responses: int | None
    promoters: int | None
    passives: int | None
    detractors: int | None
    nps: float | None
    nps_low: float | None
    nps_high: float | None


class Revised(Part):
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
    revised: list[Revised] = Field(description="what a revision changed")
    previous_release_id: str | None
    definition: str = Field(description="version of the definition of superpromoter, which is Zwerm's own")
    told_min: int
    interval: Literal["adjusted_wald", "score", "wald"] = Field(description="how nps_low and nps_high were computed")
    margin: float | None = Field(description="on one customer who was brought in; null where it is not configured")
    currency: str | None = Field(description="of the margin, after ISO 4217")
    min_respondents: int
    departments: list[Figures] = Field(description="in the order of the tree")
    tree: list[Place] = Field(description="the same departments: their places, and their time")
    highlights: list[Highlight]
    quality: list[Quality]
    comparisons: list[Comparison] = Field(description="departments against everyone else, in the order of the tree")
    changes: list[Movement] = Field(description="against the previous wave, and against that of a year before")
    trends: list[Trend]
    regrouped: list[Regrouped] = Field(description="earlier waves in today's tree, where departments moved since")
    drivers: list[Driver]
    themes: list[Theme]
    quotes: list[Quote]
    segments: list[Segment] = Field(description="as the wave's first release made them, also in a revision")
    rolling: list[Rolling] = Field(description="as the wave's first release made them, also in a revision")

    def text(self) -> bytes:
        """JSON in the order of the schema, UTF-8, no clock time: the same content gives the same bytes."""
        return self.model_dump_json(indent=1).encode() + b"\n"


PARTS: Mapping[str, type[Part]] = {
    "highlights": Highlight,
    "quality": Quality,
    "comparisons": Comparison,
    "changes": Movement,
    "trends": Trend,
    "regrouped": Regrouped,
    "drivers": Driver,
    "themes": Theme,
    "quotes": Quote,
    "segments": Segment,
    "rolling": Rolling,
}


def schema() -> bytes:
    """The JSON Schema of `release.json`."""
    return json.dumps(ReleaseDocument.model_json_schema(), sort_keys=True, indent=1).encode() + b"\n"


def records(frame: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of `frame` as plain values, missing ones as None."""
    rows: list[dict[str, Any]] = pa.Table.from_pandas(frame[list(columns)], preserve_index=False).to_pylist()
    return rows
