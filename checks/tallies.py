"""Rules for core.tallies: its counts agree with each other and along the tree; `tallies.sql` sets them side by side."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="classes_add_up",
        kind="contract",
        says={
            "en": "Promoters, passives and detractors together are all who gave a score.",
            "nl": "Promotors, passief tevredenen en criticasters zijn samen allen die een cijfer gaven.",
        },
        condition=Satisfies("promoters + passives + detractors = responses"),
    ),
    Rule(
        name="departments_add_up",
        kind="contract",
        says={
            "en": "Every department counts what its parts count, and what hangs on it directly.",
            "nl": "Elke afdeling telt wat haar onderdelen tellen, en wat direct bij haar hoort.",
        },
        condition=Satisfies(
            "responses = responses_here + responses_below and missing_scores = missing_here + missing_below"
            " and promoters = promoters_here + promoters_below and detractors = detractors_here + detractors_below"
        ),
    ),
    Rule(
        name="every_answer_is_counted",
        kind="contract",
        says={
            "en": "The organisation as a whole counts every answer that was accepted.",
            "nl": "De organisatie als geheel telt elk antwoord dat is aanvaard.",
        },
        condition=Satisfies("department_id <> 'all' or responses + missing_scores = counted_responses"),
    ),
    Rule(
        name="respondents_are_no_more_than_responses",
        kind="contract",
        says={
            "en": "No department has more respondents than answers.",
            "nl": "Geen afdeling heeft meer respondenten dan antwoorden.",
        },
        condition=Satisfies(
            "respondent_promoters <= promoters and respondent_passives <= passives"
            " and respondent_detractors <= detractors"
        ),
    ),
    Rule(
        name="ladders_descend",
        kind="contract",
        says={
            "en": "Superpromoters are among those who told, who are among the promoters; antipromoters likewise.",
            "nl": "Superpromotors horen bij wie het vertelde, en die bij de promotors; antipromotors evenzo.",
        },
        condition=Satisfies(
            "superpromoters <= influence_known and influence_known <= told and told <= told_known"
            " and told_known <= promoters and antipromoters <= warned_influence_known"
            " and warned_influence_known <= warned and warned <= warned_known and warned_known <= detractors"
        ),
    ),
    Rule(
        name="people_are_as_many_as_told",
        kind="contract",
        says={
            "en": "Who told others told at least one person, and no more people acted than were told.",
            "nl": "Wie het vertelde, vertelde het minstens één mens, en er deden er niet meer iets dan het hoorden.",
        },
        condition=Satisfies(
            "people_told >= tellers and told <= tellers and tellers <= told_known and paired <= told"
            " and paired_told >= paired and paired_acted <= paired_told"
            " and paired_with_effect <= paired and paired_with_effect <= paired_acted"
        ),
    ),
)
