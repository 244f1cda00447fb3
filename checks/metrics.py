"""Rules for mart.promoter_metrics, before it is sealed and once again as published; `metrics.sql` adds residuals."""

from collections.abc import Iterable
from dataclasses import replace

from checks.conditions import Among, Between, Satisfies
from checks.rules import Rule


def _with_interval(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


FIGURES = (
    *("responses", "missing_scores", "promoters", "passives", "detractors"),
    *("nps", "nps_low", "nps_high", "nps_weighted", "nps_weighted_low", "nps_weighted_high", "effective_responses"),
    *("nps_weighted_se", "design_effect", "superpromoters", "sharers", "silent_promoters", "unknown_promoters"),
    *("told_known", "told", "influence_known", "antipromoters"),
    *_with_interval("superpromoter_rate", "sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter"),
    *_with_interval("reach", "conversion"),
    *("recommendation_value", "recommendation_currency"),
    *("previous_wave", "previous_release_id", "nps_change", "nps_change_low", "nps_change_high"),
    *("change_p_value", "is_change_significant"),
)
RATES = ("superpromoter_rate", "sharing_rate", "influence_rate", "antipromoter_rate", "conversion")
SHARES = (*_with_interval(*RATES), "change_p_value")
DISCLOSED = ("published_is_large", "nothing_small_can_be_subtracted")  # by a material revision


def of_material(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules for a wave with a material revision: what that discloses is a warning, for somebody decided it."""
    return tuple(replace(rule, severity="warning") if rule.name in DISCLOSED else rule for rule in rules)


def _points(column: str, *, bound: int = 100) -> Rule:
    return Rule(
        name=f"{column}_is_possible",
        kind="contract",
        says={
            "en": f"Every figure in `{column}` lies between −{bound} and {bound}.",
            "nl": f"Elk cijfer in `{column}` ligt tussen −{bound} en {bound}.",
        },
        condition=Between(column, -bound, bound),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="status_is_known",
        kind="contract",
        says={
            "en": "Every department is either published or suppressed.",
            "nl": "Elke afdeling is gepubliceerd of onderdrukt.",
        },
        condition=Among("status", ("published", "suppressed")),
    ),
    Rule(
        name="organisation_is_published",
        kind="contract",
        says={
            "en": "The organisation as a whole is published.",
            "nl": "De organisatie als geheel is gepubliceerd.",
        },
        condition=Satisfies("level > 0 or status = 'published'"),
    ),
    Rule(
        name="suppressed_is_empty",
        kind="contract",
        says={
            "en": "A suppressed department shows no figure at all.",
            "nl": "Een onderdrukte afdeling toont geen enkel cijfer.",
        },
        condition=Satisfies(f"status = 'published' or ({' and '.join(f'{figure} is null' for figure in FIGURES)})"),
    ),
    Rule(
        name="published_is_large",
        kind="contract",
        says={
            "en": "A published department has enough answers, and not all in one class.",
            "nl": "Een gepubliceerde afdeling heeft genoeg antwoorden, en niet alle in één klasse.",
        },
        condition=Satisfies(
            "status <> 'published' or responses = 0 or (responses >= $min_respondents"
            " and (greatest(promoters, passives, detractors) < responses or responses >= 2 * $min_respondents))"
        ),
    ),
    Rule(
        name="nothing_small_can_be_subtracted",
        kind="contract",
        says={
            "en": "A department less those published below it leaves nothing, or enough answers of two classes.",
            "nl": "Een afdeling min wat eronder is gepubliceerd laat niets over, of genoeg van twee klassen.",
        },
        condition=Satisfies(
            "status <> 'published' or not has_parts or residual = 0 or (residual >= $min_respondents"
            " and greatest(residual_promoters, residual_passives, residual_detractors) < residual)"
        ),
    ),
    Rule(
        name="classes_are_all_responses",
        kind="contract",
        says={
            "en": "Promoters, passives and detractors together are the answers shown.",
            "nl": "Promotors, passief tevredenen en criticasters zijn samen de getoonde antwoorden.",
        },
        condition=Satisfies("promoters + passives + detractors = responses"),
    ),
    Rule(
        name="kinds_are_all_promoters",
        kind="contract",
        says={
            "en": "Superpromoters, sharers, silent and unknown promoters together are the promoters.",
            "nl": "Superpromotors, delers, stille en onbekende promotors zijn samen de promotors.",
        },
        condition=Satisfies(
            "superpromoters + sharers + silent_promoters + unknown_promoters = promoters"
            " and least(superpromoters, sharers, silent_promoters, unknown_promoters) >= 0"
            " and told_known - told = silent_promoters and influence_known - superpromoters = sharers"
            " and antipromoters <= detractors"
        ),
    ),
    *(_points(column) for column in ("nps", "nps_low", "nps_high")),
    *(_points(column) for column in ("nps_weighted", "nps_weighted_low", "nps_weighted_high")),
    *(_points(column, bound=200) for column in ("nps_change", "nps_change_low", "nps_change_high")),
    Rule(
        name="figures_lie_in_their_intervals",
        kind="contract",
        says={
            "en": "Every figure lies in its interval.",
            "nl": "Elk cijfer ligt in zijn interval.",
        },
        condition=Satisfies(
            "nps between nps_low - 1e-6 and nps_high + 1e-6 and nps_weighted_low <= nps_weighted_high"
            " and nps_change_low <= nps_change_high and "
            + " and ".join(
                f"{name} between {name}_low - 1e-9 and {name}_high + 1e-9"
                for name in (*RATES, "net_superpromoter", "reach")
            )
        ),
    ),
    Rule(
        name="shares_are_fractions",
        kind="contract",
        says={
            "en": "Every share lies between nothing and all.",
            "nl": "Elk aandeel ligt tussen niets en alles.",
        },
        condition=Satisfies(" and ".join(f"{column} between 0 and 1" for column in SHARES)),
    ),
    Rule(
        name="amounts_are_possible",
        kind="contract",
        says={
            "en": "Nobody told, and nobody brought in, fewer than none; weights alone make answers no more.",
            "nl": "Niemand vertelde het aan, of bracht, minder dan niemand; gewichten geven niet meer antwoorden.",
        },
        condition=Satisfies(
            "reach >= 0 and reach_low >= 0 and recommendation_value >= 0 and nps_weighted_se >= 0"
            " and (design_effect > 1 - 1e-6 or design_effect >= 0 and nps_weighted_se is not null)"
            " and net_superpromoter between -1 and 1"
        ),
    ),
    Rule(
        name="few_are_not_told_of",
        kind="contract",
        says={
            "en": "How many people were told is shown where nobody or enough told them; likewise who gave no score.",
            "nl": "Hoeveel het hoorden staat er waar niemand of genoeg het vertelden; zo ook wie geen score gaf.",
        },
        condition=Satisfies(
            "(reach is null or told = 0 or told >= $min_respondents) and (conversion is null or reach is not null)"
            " and (responses > 0 or coalesce(missing_scores, 0) = 0 or missing_scores >= $min_respondents)"
        ),
    ),
    Rule(
        name="change_has_a_previous_wave",
        kind="contract",
        says={
            "en": "A change names the wave that it is measured against.",
            "nl": "Een verschil noemt de meting waarmee is vergeleken.",
        },
        condition=Satisfies("nps_change is null or previous_wave is not null"),
    ),
)
