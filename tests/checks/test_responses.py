"""Each row rule with rows that break it and rows that do not, in a real DuckDB."""

from collections.abc import Mapping
from datetime import datetime

import duckdb
import pytest

from checks.responses import RULES
from checks.rules import quarantine_sql
from tests.checks.conftest import PARAMETERS, Fill

BROKEN: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "score_is_readable": ({"score": None, "score_is_readable": False},),
    "score_in_range": ({"score": 11}, {"score": -1}),
    "weight_is_readable": ({"weight_is_readable": False},),
    "weight_in_range": ({"weight": -0.5}, {"weight": 100_000.1}),
    "responded_at_is_readable": ({"responded_at_is_readable": False},),
    "responded_at_is_past": ({"responded_at": datetime(2026, 11, 2, 0, 0, 1)}, {"responded_at": datetime(9999, 1, 1)}),
    "wave_is_known": ({"wave": None},),
    "told_count_is_readable": ({"told_count_is_readable": False},),
    "acted_count_is_readable": ({"acted_count_is_readable": False},),
    "warned_count_is_readable": ({"warned_count_is_readable": False},),
    "warned_acted_count_is_readable": ({"warned_acted_count_is_readable": False},),
    "copied_is_readable": ({"copied_is_readable": False},),
    "department_is_text": ({"department_levels_are_text": False},),
    "drivers_are_readable": ({"drivers_are_readable": False},),
    "segments_are_text": ({"segments_are_text": False},),
    "counts_are_not_negative": ({"acted_count": -1}, {"told_count": 2, "told_count_most": -2}, {"warned_count": -1}),
}


def quarantined(connection: duckdb.DuckDBPyConnection) -> dict[int, list[str]]:
    return dict(connection.execute(quarantine_sql(RULES, PARAMETERS)).fetchall())


def test_every_row_rule_has_rows_that_break_it() -> None:
    assert list(BROKEN) == [rule.name for rule in RULES]


@pytest.mark.parametrize("name", BROKEN)
def test_a_row_that_breaks_a_rule_is_quarantined_under_its_name(
    name: str, connection: duckdb.DuckDBPyConnection, incoming: Fill
) -> None:
    incoming({}, *BROKEN[name], {})
    assert quarantined(connection) == {number: [name] for number in range(2, 2 + len(BROKEN[name]))}


def test_good_rows_pass_at_their_very_bounds(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming(
        {"score": 0},
        {"score": 10},
        {"score": None},
        {"weight": 0},
        {"weight": 100_000},
        {"responded_at": None},
        {"responded_at": PARAMETERS["latest_response_at"]},
        {"told_count": 0, "told_count_most": 0, "acted_count": 0},
    )
    assert quarantined(connection) == {}


def test_a_row_is_quarantined_once_with_all_the_rules_that_it_broke(
    connection: duckdb.DuckDBPyConnection, incoming: Fill
) -> None:
    incoming({"score": 12, "wave": None, "weight": -1})
    assert quarantined(connection) == {1: ["score_in_range", "weight_in_range", "wave_is_known"]}


def test_the_scale_is_the_one_that_the_survey_declares(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({"score": 0}, {"score": 1})
    found = connection.execute(quarantine_sql(RULES, PARAMETERS | {"score_low": 1})).fetchall()
    assert found == [(1, ["score_in_range"])]
