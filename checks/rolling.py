"""Rules for mart.rolling, before it is sealed: of enough people, of as many waves as it says, and possible."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="windows_are_whole",
        kind="contract",
        says={
            "en": "A window pools as many waves as it says, all but the newest as they were released.",
            "nl": "Een venster neemt zoveel metingen samen als het zegt, alle behalve de nieuwste zoals gepubliceerd.",
        },
        condition=Satisfies("waves = wave_count and waves = release_count + 1 and rows_alike = 1"),
    ),
    Rule(
        name="windows_are_of_enough_people",
        kind="contract",
        says={
            "en": "A window shows nothing of a department, or speaks of nobody or of enough people.",
            "nl": "Een venster toont niets van een afdeling, of gaat over niemand of over genoeg mensen.",
        },
        condition=Satisfies(
            "case when status = 'published' then responses = 0 or responses >= $min_respondents"
            " else coalesce(responses, promoters, passives, detractors, nps, nps_low, nps_high) is null end"
        ),
    ),
    Rule(
        name="windows_are_possible",
        kind="contract",
        says={
            "en": "Every window adds up, and its score lies in its interval and follows from its counts.",
            "nl": "Elk venster telt op, en de score ligt in haar interval en volgt uit de aantallen.",
        },
        condition=Satisfies(
            "responses = promoters + passives + detractors"
            " and (responses = 0 or abs(nps - 100.0 * (promoters - detractors) / responses) < 1e-6)"
            " and nps_low <= nps_high and nps_low >= -100 and nps_high <= 100"
        ),
    ),
)
