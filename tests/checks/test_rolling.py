"""Each rule for rolling windows, on two departments of one window."""

import duckdb
import pytest

from checks.gate import gate
from checks.rolling import RULES
from tests.checks.conftest import made

ROWS = """
create or replace temp table rolling as from (values
    ('all', 3, ['8', '9', '10'], ['r8', 'r9'], 'published', 40, 20, 10, 10, 25.0, 1.0, 49.0),
    ('texel', 3, ['8', '9', '10'], ['r8', 'r9'], 'suppressed', null, null, null, null, null, null, null)
) as rows (department_id, waves, pooled_waves, pooled_release_ids, status, responses, promoters, passives, detractors,
    nps, nps_low, nps_high)
"""


def failed(connection: duckdb.DuckDBPyConnection, change: str = "") -> list[str]:
    connection.execute(ROWS)
    if change:
        connection.execute(change)
    made(connection, "rolling", {})
    return list(gate(connection, table="checked_rolling", rules=RULES, parameters={"min_respondents": 10}).stopped_by)


def test_windows_that_are_right_pass(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("update rolling set pooled_waves = ['9', '10'] where department_id = 'all'", "windows_are_whole"),
        ("update rolling set pooled_release_ids = ['r9'] where department_id = 'all'", "windows_are_whole"),
        ("insert into rolling from rolling where department_id = 'all'", "windows_are_whole"),
        ("update rolling set nps = 7 where department_id = 'texel'", "windows_are_of_enough_people"),
        (
            "update rolling set responses = 9, promoters = 3, passives = 3, detractors = 3, nps = 0"
            " where department_id = 'all'",
            "windows_are_of_enough_people",
        ),
        ("update rolling set detractors = 11 where department_id = 'all'", "windows_are_possible"),
        ("update rolling set nps_high = 0 where department_id = 'all'", "windows_are_possible"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert failed(connection, change) == [rule]
