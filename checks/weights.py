"""Rules for weights: no answer speaks for many others, and weighting does not cost too much; `weights.sql`."""

from checks.conditions import Share
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="no_weight_dominates",
        kind="batch",
        says={
            "en": "No single answer decides a weighted figure.",
            "nl": "Geen enkel antwoord bepaalt een gewogen cijfer.",
        },
        condition=Share("dominant_share", "whole_share", is_count=False),
        severity="warning",
        most=0.05,
    ),
    Rule(
        name="weights_leave_enough",
        kind="batch",
        says={
            "en": "Weighted figures are at least as sure as those of half as many answers would be.",
            "nl": "Gewogen cijfers zijn minstens zo zeker als die van half zoveel antwoorden zouden zijn.",
        },
        condition=Share("effective_share", "whole_share", is_count=False),
        severity="warning",
        lowest=0.5,
    ),
)
