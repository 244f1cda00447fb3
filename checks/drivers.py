"""Rules for the table `drivers`: shares of one whole, of published departments with enough ratings; `drivers.sql`."""

from checks.conditions import Satisfies
from checks.rules import Rule

PER_DRIVER = 10  # so many people at least
ROUNDED = "0.0001"  # what rounding may add or take, per driver

RULES: tuple[Rule, ...] = (
    Rule(
        name="drivers_are_of_published_departments",
        kind="contract",
        says={
            "en": "Only published departments with enough ratings show what goes with their score.",
            "nl": "Alleen gepubliceerde afdelingen met genoeg oordelen tonen wat met hun cijfer samengaat.",
        },
        condition=Satisfies(
            f"status = 'published' and responses >= greatest($min_respondents, {PER_DRIVER} * driver_count)"
        ),
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
        name="nothing_small_is_left_of_who_rated",
        kind="contract",
        says={
            "en": "What can be subtracted of those who rated everything leaves nobody, or enough people.",
            "nl": "Wat van wie alles beoordeelde kan worden afgetrokken, laat niemand over, of genoeg mensen.",
        },
        condition=Satisfies("responses_left = 0 or responses_left >= $min_respondents"),
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
