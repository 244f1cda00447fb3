"""What must hold of comments once personal data are removed: of every one of them, without a word of any."""

from checks.conditions import IsTrue, Satisfies
from checks.rules import Rule

RULES = (
    Rule(
        name="comments_are_cleaned",
        kind="contract",
        says={
            "en": "Personal data was looked for in every comment, by today's rules.",
            "nl": "In elke opmerking is naar persoonsgegevens gezocht, volgens de regels van nu.",
        },
        condition=Satisfies("is_cleaned and is_of_this_version"),
    ),
    Rule(
        name="comments_are_plain",
        kind="contract",
        says={
            "en": "Cleaned comments are on one line, not overlong, and hide no characters.",
            "nl": "Opgeschoonde opmerkingen staan op één regel, zijn niet te lang en verbergen geen tekens.",
        },
        condition=Satisfies("is_short and is_plain"),
    ),
    Rule(
        name="comments_have_no_addresses",
        kind="contract",
        says={
            "en": "No cleaned comment holds an e-mail or web address.",
            "nl": "Geen opgeschoonde opmerking bevat een e-mail- of webadres.",
        },
        condition=IsTrue("has_no_address"),
    ),
)
