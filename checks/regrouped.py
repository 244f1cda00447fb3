"""Rules for mart.regrouped, before it is sealed: earlier waves in today's tree give away no more than they did."""

from checks.conditions import IsTrue, Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="regrouped_once",
        kind="contract",
        says={
            "en": "An earlier wave stands once in today's tree, below the whole of it.",
            "nl": "Een eerdere meting staat één keer in de boom van nu, onder het geheel.",
        },
        condition=IsTrue("is_one_tree"),
    ),
    Rule(
        name="regrouped_suppressed_is_empty",
        kind="contract",
        says={
            "en": "Of an earlier wave, too, a suppressed department shows no figure at all.",
            "nl": "Ook van een eerdere meting toont een onderdrukte afdeling geen enkel cijfer.",
        },
        condition=IsTrue("is_empty_where_hidden"),
    ),
    Rule(
        name="regrouped_residual_is_large",
        kind="contract",
        says={
            "en": "Of an earlier wave in today's tree, nothing small or of one class is left over by subtraction.",
            "nl": "Van een eerdere meting in de boom van nu blijft door aftrekken niets kleins of van één klasse over.",
        },
        condition=Satisfies(
            "residual = 0 or (residual >= $min_respondents"
            " and (greatest(residual_promoters, residual_passives, residual_detractors) < residual"
            " or (not has_parts and residual >= 2 * $min_respondents)))"
        ),
    ),
    Rule(
        name="regrouped_is_possible",
        kind="contract",
        says={
            "en": "Of an earlier wave in today's tree the classes are all of the answers, and the score is theirs.",
            "nl": "Van een eerdere meting in de boom van nu zijn de klassen samen de antwoorden, met hun score.",
        },
        condition=IsTrue("is_possible"),
    ),
)
