"""Rules for the table `drivers`: shares of one whole, of published departments with enough ratings; `drivers.sql`."""

from checks.conditions import Satisfies
from checks.rules import Rule

ROUNDED = "0.0001"  # what rounding may add or take, per driver

RULES: tuple[Rule, ...] = (
    Rule(
        name="drivers_are_of_published_departments",
        kind="contract",
        says={
            "en": "Only published departments with enough ratings show what goes with their score.",
            "nl": "Alleen gepubliceerde afdelingen met genoeg oordelen tonen wat met hun cijfer samengaat.",
        },
        condition=Satisfies("status = 'published' and responses >= $min_respondents"),
    ),
    Rule(
        name="importances_are_shares",
        kind="contract",
        says={
            "en": "What the drivers tell of the score adds up to one whole.",
            "nl": "Wat de drijfveren over het cijfer zeggen, telt op tot één geheel.",
        },
        condition=Satisfies(
            "importance between 0 and 1 and r_squared between 0 and 1"
            f" and abs(importance_sum - 1) <= {ROUNDED} * important_count"
        ),
    ),
    Rule(
        name="importances_lie_in_their_intervals",
        kind="contract",
        says={
            "en": "Every driver's importance lies in its interval.",
            "nl": "Het belang van elke drijfveer ligt in zijn interval.",
        },
        condition=Satisfies(
            "importance between importance_low and importance_high and importance_low >= 0 and importance_high <= 1"
        ),
    ),
    Rule(
        name="what_is_left_out_shows_nothing",
        kind="contract",
        says={
            "en": "A driver that tells nothing of its own is left out, with the reason.",
            "nl": "Een drijfveer die zelf niets zegt, is weggelaten, met de reden.",
        },
        condition=Satisfies("left_out is null or (importance is null and kind is null)"),
    ),
)
