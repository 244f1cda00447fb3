"""The pages of text beside the figures, and what the downloads' columns mean."""

from collections.abc import Callable, Mapping

from transforms.report.beside import BESIDE
from transforms.report.columns import beside_columns, captions
from transforms.report.edition import METRICS, Edition
from transforms.report.words import Words

TEXTS: Mapping[str, Callable[[Words], str]] = {
    "reading": lambda words: words.say("How to read these pages"),
    "method": lambda words: words.say("How these figures are made"),
    "managers": lambda words: words.say("If you manage a department"),
}


def tables(words: Words, edition: Edition) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every download of figures that this edition has: its name, what it holds, and its columns."""
    first = words.say(
        "NPS in points, every rate as a fraction from 0 to 1; an empty cell is a figure that is not there or not shown"
    )
    found = [("promoter_metrics", first, columns(words))]
    meanings, holds = beside_columns(words), captions(words)
    for name, known in BESIDE.items():
        if name in edition.tables and not edition.tables[name].empty:
            rows = [(column, meanings[name][column]) for column in known if column in meanings[name]]
            found.append((name, f"{holds[name]} ({name})", rows))
    return found


def columns(words: Words) -> list[tuple[str, str]]:
    """Every column of promoter_metrics with its meaning."""
    meanings = {**_identity(words), **_counts(words), **_rates(words), **_telling(words), **_changes(words)}
    return [(column, meanings[column]) for column in METRICS]


def _identity(words: Words) -> dict[str, str]:
    return {
        "survey": words.say("the survey’s name"),
        "wave": words.say("the wave"),
        "department_id": words.say("the department; all is the organisation"),
        "department": words.say("its name"),
        "parent_id": words.say("the department it is part of"),
        "level": words.say("steps below the organisation"),
        "status": words.say("published or suppressed"),
    }


def _counts(words: Words) -> dict[str, str]:
    return {
        "responses": words.say("answers with a valid score"),
        "missing_scores": words.say("accepted answers without a score"),
        "promoters": words.say("scores 9 and 10"),
        "passives": words.say("scores 7 and 8"),
        "detractors": words.say("scores 6 and lower"),
        "effective_responses": words.say("effective number of answers after weighting"),
        "design_effect": words.say("answers per effective answer: what weighting costs"),
        "superpromoters": words.say("answers known to be of a superpromoter"),
        "sharers": words.say("promoters who told others, without effect"),
        "silent_promoters": words.say("promoters who told nobody, or too few"),
        "unknown_promoters": words.say("promoters of whom an answer is missing that would tell"),
        "told_known": words.say("promoters who said whether they told others"),
        "told": words.say("of these: who did"),
        "influence_known": words.say("of these: who said what came of it"),
        "antipromoters": words.say("answers known to be of an antipromoter"),
    }


def _rates(words: Words) -> dict[str, str]:
    return {
        "nps": words.say("Net Promoter Score"),
        "nps_low": words.say("lower end of its 95%% interval"),
        "nps_high": words.say("upper end of its 95%% interval"),
        "nps_weighted": words.say("the same, weighted"),
        "nps_weighted_low": words.say("lower end of its 95%% interval"),
        "nps_weighted_high": words.say("upper end of its 95%% interval"),
        "nps_weighted_se": words.say("its standard error, where strata or clusters are known"),
        "superpromoter_rate": words.say("superpromoters among all respondents"),
        "superpromoter_rate_low": words.say("lower end of its 95%% interval"),
        "superpromoter_rate_high": words.say("upper end of its 95%% interval"),
        "sharing_rate": words.say("promoters who told others, of those who answered this"),
        "influence_rate": words.say("of those who told others and answered this: with effect"),
        "antipromoter_rate": words.say("detractors who warned others, with effect, among all respondents"),
        "net_superpromoter": words.say("superpromoter rate less antipromoter rate"),
    }


def _telling(words: Words) -> dict[str, str]:
    """What belongs to the rates: their intervals, and how many people heard of it and acted."""
    low, high = words.say("lower end of its 95%% interval"), words.say("upper end of its 95%% interval")
    bounded = ("sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter", "reach", "conversion")
    return {
        **{f"{name}_low": low for name in bounded},
        **{f"{name}_high": high for name in bounded},
        "reach": words.say("people told per promoter who answered this, at least"),
        "conversion": words.say("of the people told: who acted on it"),
        "recommendation_value": words.say("customers brought in by the promoters who answered, times the margin"),
        "recommendation_currency": words.say("the currency of that"),
    }


def _changes(words: Words) -> dict[str, str]:
    return {
        "previous_wave": words.say("the wave that the change is measured against"),
        "previous_release_id": words.say("the release of that wave"),
        "nps_change": words.say("change of the NPS, in points"),
        "nps_change_low": words.say("lower end of its 95%% interval"),
        "nps_change_high": words.say("upper end of its 95%% interval"),
        "change_p_value": words.say("p-value of the change, adjusted over all departments"),
        "is_change_significant": words.say("whether that is below 0.05"),
    }
