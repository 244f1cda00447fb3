"""Rules for mart.quotes, before it is sealed; `quotes.sql` looks for what must not be in them."""

from checks.conditions import Satisfies
from checks.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        name="quotes_are_of_many",
        kind="contract",
        says={
            "en": "Quotes are of published departments with enough promoters, at most three of one language.",
            "nl": "Citaten zijn uit gepubliceerde afdelingen met genoeg promotors, hoogstens drie in één taal.",
        },
        condition=Satisfies(
            "is_published and promoters >= $min_respondents and quotes_beside <= 3 and position between 1 and 3"
            " and characters between 20 and 200"
        ),
    ),
    Rule(
        name="quotes_hold_no_personal_data",
        kind="contract",
        says={
            "en": "No quote holds an e-mail address, a telephone, account or citizen number, or a web address.",
            "nl": "Geen citaat bevat een e-mailadres, telefoon-, rekening- of burgerservicenummer, of webadres.",
        },
        condition=Satisfies("not (holds_email or holds_number or holds_address)"),
    ),
)
