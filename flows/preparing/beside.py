"""What stands beside the figures in `release.json`: comparisons, waves, drivers, words, segments and windows."""

from typing import Literal

from pydantic import Field

from flows.preparing.parts import Part


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
    responses: int = Field(description="people who gave a score and every rating, each once")
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
