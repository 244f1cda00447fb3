"""The rule for a release once it is out, against its seal; `releases.sql` sets the tables of both side by side."""

from importlib.resources import files

from checks.conditions import Satisfies, quoted
from checks.rules import Rule

SHOWN = {"departments": "* replace (array_to_string(path, ' > ') as path)"}  # what is published otherwise than sealed

RULES: tuple[Rule, ...] = (
    Rule(
        name="published_is_as_sealed",
        kind="contract",
        says={
            "en": "Every row that is published is one that was sealed, in every table.",
            "nl": "Elke gepubliceerde rij is een rij die is verzegeld, in elke tabel.",
        },
        condition=Satisfies("only_published = 0 and only_sealed = 0"),
    ),
)


def beside_seal(table: str) -> str:
    """The select of `releases.sql` for a table of the warehouse; it takes the release, and the sealed table's file."""
    text = (files("checks") / "releases.sql").read_text(encoding="utf-8")
    return text.replace("{table}", quoted(table)).replace("{shown}", SHOWN.get(table, "*"))
