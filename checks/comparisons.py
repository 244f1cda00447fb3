"""Rules for mart.comparisons, before it is sealed: of what is published alone, and possible."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="only_published_is_compared",
        kind="contract",
        says={
            "en": "Exactly the published departments are compared with the others, by the figures that are published.",
            "nl": "Precies de gepubliceerde afdelingen zijn vergeleken met de andere, op de gepubliceerde cijfers.",
        },
        condition=Satisfies("is_shown is not distinct from is_compared and (not is_compared or nps = nps_compared)"),
    ),
    Rule(
        name="the_rest_is_large",
        kind="contract",
        says={
            "en": "No department is held against the rest of the organisation where that has too few answers.",
            "nl": "Geen afdeling is vergeleken met de rest van de organisatie als die te weinig antwoorden heeft.",
        },
        condition=Satisfies("nps_rest is null or responses_rest >= $min_respondents"),
    ),
    Rule(
        name="comparisons_are_possible",
        kind="contract",
        says={
            "en": "What differs from the rest, and the limits of the funnel, are possible and in order.",
            "nl": "Wat van de rest verschilt, en de grenzen van de trechter, zijn mogelijk en in volgorde.",
        },
        condition=Satisfies(
            "abs(nps - nps_rest - rest_difference) < 1e-6 and rest_difference_low <= rest_difference_high"
            " and rest_p_value between 0 and 1"
            " and -100 <= funnel_low_998 and funnel_low_998 <= funnel_low_95 and funnel_low_95 <= funnel_centre"
            " and funnel_centre <= funnel_high_95 and funnel_high_95 <= funnel_high_998 and funnel_high_998 <= 100"
            " and nps_shrunken between -100 and 100"
        ),
    ),
)
