"""Rules for one wave as a whole, against itself and against earlier waves; `waves.sql` makes the one row they read."""

from checks.conditions import Satisfies, Share
from checks.rules import Rule

SCALE = "scale_is_used"
ENOUGH = 30  # so many answers of which none is above the highest of a 1–5 scale: it is one
HIGHEST = 5

RULES: tuple[Rule, ...] = (
    Rule(
        name=SCALE,
        kind="batch",
        says={
            "en": "The scores are on the scale of 0 to 10, or their own scale is mapped to it.",
            "nl": "De cijfers staan op de schaal van 0 tot 10, of hun eigen schaal is daarop afgebeeld.",
        },
        condition=Satisfies(f"$scale_is_declared or responses < {ENOUGH} or largest_score > {HIGHEST}"),
    ),
    Rule(
        name="response_volume",
        kind="batch",
        says={
            "en": "About as many people answered as in earlier waves.",
            "nl": "Er antwoordden ongeveer zoveel mensen als bij eerdere metingen.",
        },
        condition=Share("responses", "median_responses"),
        severity="warning",
        lowest=0.5,
    ),
    Rule(
        name="scores_are_given",
        kind="batch",
        says={
            "en": "Nearly everyone who answered gave a score.",
            "nl": "Bijna iedereen die antwoordde, gaf een cijfer.",
        },
        condition=Share("missing_scores", "accepted_count"),
        severity="warning",
        most=0.2,
    ),
    Rule(
        name="answers_are_of_the_invited",
        kind="batch",
        says={
            "en": "No more answers came in than people were invited, where it is known how many.",
            "nl": "Er kwamen niet meer antwoorden dan er mensen zijn uitgenodigd, waar bekend is hoeveel.",
        },
        condition=Share("accepted_count", "invited_count", is_count=False),
        severity="warning",
        most=1.0,
    ),
    Rule(
        name="quarantine_is_small",
        kind="batch",
        says={
            "en": "Few answers were set aside because something in them cannot be right.",
            "nl": "Er zijn weinig antwoorden apart gelegd omdat er iets in niet kan kloppen.",
        },
        condition=Share("quarantined_count", "in_count"),
        most=0.05,
    ),
    Rule(
        name="weights_are_given",
        kind="batch",
        says={
            "en": "Every score that counts has its weight.",
            "nl": "Elk cijfer dat meetelt, heeft een gewicht.",
        },
        condition=Share("unweighted_count", "responses"),
        severity="warning",
        most=0.01,
    ),
    Rule(
        name="departments_remain",
        kind="batch",
        says={
            "en": "Every department of the wave before has answers again.",
            "nl": "Elke afdeling van de vorige meting heeft weer antwoorden.",
        },
        condition=Share("vanished_departments", "departments_before", is_count=False),
        severity="warning",
        most=0.0,
    ),
    Rule(
        name="departments_are_of_their_time",
        kind="batch",
        says={
            "en": "Nobody answered about a department whose time has not come, or is over.",
            "nl": "Niemand antwoordde over een afdeling die er nog niet of niet meer is.",
        },
        condition=Share("strange_departments", "departments_now", is_count=False),
        severity="warning",
        most=0.0,
    ),
    Rule(
        name="answers_agree",
        kind="batch",
        says={
            "en": "Few answers contradict each other, such as more people acting than were told.",
            "nl": "Weinig antwoorden spreken elkaar tegen, zoals meer mensen die iets deden dan het hoorden.",
        },
        condition=Share("contradictory_count", "accepted_count"),
        severity="warning",
        most=0.05,
    ),
)
