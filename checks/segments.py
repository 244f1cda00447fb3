"""Rules for mart.segments, before it is sealed: of published departments, of enough people, and possible."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="segments_are_of_published_departments",
        kind="contract",
        says={
            "en": "Only published departments are shown by segment, each value of a segment once.",
            "nl": "Alleen gepubliceerde afdelingen zijn naar segment getoond, elke waarde van een segment één keer.",
        },
        condition=Satisfies("is_published and rows_alike = 1"),
    ),
    Rule(
        name="segments_are_of_enough_people",
        kind="contract",
        says={
            "en": "A row by segment shows nothing, or speaks of nobody or of enough people.",
            "nl": "Een rij naar segment toont niets, of gaat over niemand of over genoeg mensen.",
        },
        condition=Satisfies(
            "case when status = 'published' then responses = 0 or responses >= $min_respondents"
            " else coalesce(responses, promoters, passives, detractors, nps, nps_low, nps_high) is null end"
        ),
    ),
    Rule(
        name="segments_are_possible",
        kind="contract",
        says={
            "en": "Every row by segment adds up, and its score lies in its interval and follows from its counts.",
            "nl": "Elke rij naar segment telt op, en de score ligt in haar interval en volgt uit de aantallen.",
        },
        condition=Satisfies(
            "responses = promoters + passives + detractors"
            " and (responses = 0 or abs(nps - 100.0 * (promoters - detractors) / responses) < 1e-6)"
            " and nps_low <= nps_high and nps_low >= -100 and nps_high <= 100"
        ),
    ),
)
