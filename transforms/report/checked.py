"""What was checked, in the reader's words: one line per check with what came of it."""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from transforms.report.edition import Edition
from transforms.report.sentences import first_upper
from transforms.report.words import SOURCE, Words

CONTRADICTIONS = "answers_agree"  # counts answers that were voided, not set aside
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Checked:
    """One check and its outcome; `language` says in which language it speaks, where that is not the page's."""

    what: Markup
    outcome: str
    has_failed: bool
    is_notable: bool  # it failed, or answers were set aside by it
    language: str | None


def checked(edition: Edition, words: Words) -> list[Checked]:
    """Every check of a release in its order."""
    return [_checked(row, edition, words) for row in edition.quality.to_dict("records")]


def _checked(row: dict[Any, Any], edition: Edition, words: Words) -> Checked:
    own = edition.check_words.get(str(row["rule"]), {}).get(words.language)
    has_failed = row["outcome"] != "passed"
    count = None if pd.isna(row["failed_count"]) else int(row["failed_count"])
    counts_answers = row["kind"] == "rows" or row["rule"] == CONTRADICTIONS
    return Checked(
        what=_set(own or str(row["says"])),
        outcome=_outcome(row, words, count=count, has_failed=has_failed),
        has_failed=has_failed,
        is_notable=has_failed or (counts_answers and count != 0),
        language=None if own or words.language == SOURCE else SOURCE,
    )


def _set(says: str) -> Markup:
    """What a rule says, as print has it: an apostrophe that is curly, and the names of columns as code."""
    parts = CODE.split(says.removesuffix(".").replace("'", "’"))
    return Markup("").join(Markup("<code>%s</code>") % part if at % 2 else part for at, part in enumerate(parts))


def _outcome(row: dict[Any, Any], words: Words, *, count: int | None, has_failed: bool) -> str:
    if count and row["rule"] == CONTRADICTIONS:
        return words.count(
            "%(number)s answer to these questions not used", "%(number)s answers to these questions not used", count
        )
    if count and row["kind"] == "rows":
        return words.count("%(number)s answer set aside", "%(number)s answers set aside", count)
    if count is None and row["rule"] == CONTRADICTIONS:
        return words.say("a few answers to these questions not used")
    if count is None and row["kind"] == "rows":
        return words.say("a few answers set aside")
    if not has_failed:
        return words.say("held")
    if not count or pd.isna(row["base_count"]):
        return words.say("did not hold")
    base = words.number(int(row["base_count"]))
    return words.count("did not hold: %(number)s of %(base)s", "did not hold: %(number)s of %(base)s", count, base=base)


def summary(checks: list[Checked], words: Words) -> str:
    """How many checks were made, and whether they held."""
    total, failed = len(checks), sum(check.has_failed for check in checks)
    made = words.count(
        "%(spelled)s check was made.", "%(spelled)s checks were made.", total, spelled=words.spelled(total)
    )
    held = (
        words.say("All of them held.")
        if failed == 0
        else words.count(
            "%(spelled)s did not hold.", "%(spelled)s did not hold.", failed, spelled=words.spelled(failed)
        )
    )
    return f"{first_upper(made)} {first_upper(held)}"
