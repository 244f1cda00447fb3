"""All rules by the table that they are for, with what a survey says about them in its `checks`."""

from collections.abc import Mapping

from checks import (
    changes,
    comments,
    comparisons,
    drivers,
    files,
    metrics,
    quotes,
    regrouped,
    responses,
    rolling,
    segments,
    tallies,
    themes,
    trends,
    waves,
    weights,
)
from checks.rules import Rule, configured

TABLES: Mapping[str, tuple[Rule, ...]] = {
    "files": files.RULES,
    "responses": responses.RULES,
    "waves": waves.RULES,
    "weights": weights.RULES,
    "tallies": tallies.RULES,
    "comments": comments.RULES,
    "metrics": metrics.RULES,
    "comparisons": comparisons.RULES,
    "changes": changes.RULES,
    "trends": trends.RULES,
    "regrouped": regrouped.RULES,
    "drivers": drivers.RULES,
    "themes": themes.RULES,
    "quotes": quotes.RULES,
    "segments": segments.RULES,
    "rolling": rolling.RULES,
}


def rules_by_table(settings: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[Rule, ...]]:
    """The rules of each table with the survey's severities and bounds; a name that no rule has is an error."""
    ours = {rule.name: rule for rule in configured((r for rules in TABLES.values() for r in rules), settings)}
    return {table: tuple(ours[rule.name] for rule in rules) for table, rules in TABLES.items()}
