"""What `release.json` says of the departments themselves: their figures, their places, and what stands out."""

from typing import Literal

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
        description="people told per promoter who said how many, at least (of bands the lower end); null where few told"
    )
    reach_low: float | None
    reach_high: float | None
    conversion: float | None = Field(description="of the people told, the share who acted on it; null where few did")
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


class Revised(Part):
    """A department whose released figures a revision changed; null where a figure was not or is no longer there."""

    department_id: str
    responses: int | None
    previous_responses: int | None
    nps: float | None
    previous_nps: float | None
