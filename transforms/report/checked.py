"""What was checked, in the reader's words: one line per check with what came of it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from transforms.report.words import Words


@dataclass(frozen=True)
class Checked:
    """One check and its outcome; `language` says in which language the check speaks, where it is not the page's."""

    what: str
    outcome: str
    has_failed: bool
    language: str | None


def checked(quality: pd.DataFrame, words: Words) -> list[Checked]:
    """Every check of a release in its order."""
    return [_checked(row, words) for row in quality.to_dict("records")]


def _checked(row: "dict[Any, Any]", words: Words) -> Checked:
    known = _named(words).get(str(row["check"]))
    has_failed = row["outcome"] != "passed"
    outcome = _failure(row, words) if has_failed else words.say("held")
    if known is not None:
        return Checked(known, outcome, has_failed, None)
    language = None if words.language == "en" else "en"
    return Checked(str(row["says"]), outcome, has_failed, language)


def _failure(row: "dict[Any, Any]", words: Words) -> str:
    if pd.isna(row["failed_count"]):
        return words.say("did not hold")
    count = int(row["failed_count"])
    if row["check"] == "answers_agree":
        return words.count(
            "%(number)s answer to these questions not used", "%(number)s answers to these questions not used", count
        )
    if row["kind"] == "rows":
        return words.count("%(number)s answer set aside", "%(number)s answers set aside", count)
    if pd.isna(row["base_count"]):
        return words.count("did not hold for %(number)s", "did not hold for %(number)s", count)
    base = words.number(int(row["base_count"]))
    return words.count("%(number)s of %(base)s", "%(number)s of %(base)s", count, base=base)


def _named(words: Words) -> dict[str, str]:
    return {
        "record_is_readable": words.say("Every record can be read"),
        "score_is_readable": words.say("Every score is a number, or left open"),
        "score_in_range": words.say("Scores lie on the scale of the question"),
        "weight_is_readable": words.say("Every weight is a number"),
        "weight_is_positive": words.say("Weights are not negative"),
        "responded_at_is_readable": words.say("Every date can be read"),
        "responded_at_is_past": words.say("No answer is dated in the future"),
        "wave_is_known": words.say("It is known to which wave an answer belongs"),
        "told_count_is_readable": words.say("How many were told is a number"),
        "acted_count_is_readable": words.say("How many came along is a number"),
        "warned_count_is_readable": words.say("How many were warned is a number"),
        "warned_acted_count_is_readable": words.say("How many stayed away is a number"),
        "copied_is_readable": words.say("Whether someone followed unasked is a yes or a no"),
        "department_is_text": words.say("Every department has a readable name"),
        "counts_are_not_negative": words.say("Numbers of people are not negative"),
        "answers_agree": words.say("Telling and effect do not contradict each other"),
        "response_volume": words.say("Number of answers against earlier waves"),
    }
