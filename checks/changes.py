"""Rules for mart.changes, before it is sealed: it says nothing of what is hidden, and the same as the metrics."""

from checks.conditions import IsTrue
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="only_published_changes",
        kind="contract",
        says={
            "en": "Changes are told of published departments only, once for each wave that they are held against.",
            "nl": "Alleen van gepubliceerde afdelingen staat er een verschil, één per meting waarmee is vergeleken.",
        },
        condition=IsTrue("is_shown"),
    ),
    Rule(
        name="changes_are_possible",
        kind="contract",
        says={
            "en": "The interval of every change is in order, and its chance a share.",
            "nl": "Het interval van elk verschil is in volgorde, en de kans erop een aandeel.",
        },
        condition=IsTrue("is_possible"),
    ),
    Rule(
        name="changes_are_those_of_the_metrics",
        kind="contract",
        says={
            "en": "The change since the previous wave is the one that stands beside the score.",
            "nl": "Het verschil met de vorige meting is het verschil dat bij de score staat.",
        },
        condition=IsTrue("is_as_in_metrics"),
    ),
)
