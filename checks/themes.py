"""Rules for mart.themes: before it is sealed; `themes.sql` adds what could be subtracted, and what may not be in it."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="themes_are_of_many",
        kind="contract",
        says={
            "en": "Every word shown was used by enough respondents of a published department, and what can be "
            "subtracted leaves nobody, or enough.",
            "nl": "Elk getoond woord is door genoeg respondenten van een gepubliceerde afdeling gebruikt, en wat kan "
            "worden afgetrokken laat niemand over, of genoeg.",
        },
        condition=Satisfies(
            "is_published and not is_too_many and respondents >= $min_respondents"
            " and (respondents_left = 0 or respondents_left >= $min_respondents)"
        ),
    ),
    Rule(
        name="themes_set_apart",
        kind="contract",
        says={
            "en": "Every word shown sets a group's comments apart beyond chance, and no list has more than ten.",
            "nl": "Elk getoond woord onderscheidt reacties meer dan toeval kan, en geen lijst heeft er meer dan tien.",
        },
        condition=Satisfies("z_score >= 1.95 and position between 1 and 10"),
    ),
    Rule(
        name="themes_hold_no_personal_data",
        kind="contract",
        says={
            "en": "No word shown holds a digit, an e-mail address or a web address.",
            "nl": "Geen getoond woord bevat een cijfer, een e-mailadres of een webadres.",
        },
        condition=Satisfies("not holds_personal_data"),
    ),
)
