"""The rule for a release once it is out, against its seal; `promoter_metrics.sql` sets the two side by side."""

from checks.conditions import IsTrue
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="published_is_as_sealed",
        kind="contract",
        says={
            "en": "Every figure that is published is the one that was sealed.",
            "nl": "Elk gepubliceerd cijfer is het cijfer dat is verzegeld.",
        },
        condition=IsTrue("is_as_sealed"),
    ),
)
