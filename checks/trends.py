"""Rules for mart.trends, before it is sealed: the course of published departments, up to what is published of them."""

from checks.conditions import IsTrue
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="only_published_has_a_trend",
        kind="contract",
        says={
            "en": "Exactly the published departments are followed through the waves, once in each.",
            "nl": "Precies de gepubliceerde afdelingen zijn door de metingen heen gevolgd, één keer per meting.",
        },
        condition=IsTrue("is_shown"),
    ),
    Rule(
        name="trends_end_with_this_wave",
        kind="contract",
        says={
            "en": "Every course through the waves ends with the figure of this wave.",
            "nl": "Elk verloop door de metingen eindigt met het cijfer van deze meting.",
        },
        condition=IsTrue("is_as_in_metrics"),
    ),
    Rule(
        name="smooths_lie_in_their_bands",
        kind="contract",
        says={
            "en": "Every smoothed figure lies in its band.",
            "nl": "Elk afgevlakt cijfer ligt in zijn band.",
        },
        condition=IsTrue("is_possible"),
    ),
)
