"""Each rule for figures by segment, on two departments of one segment."""

import duckdb
import pytest

from checks.gate import gate
from checks.segments import RULES
from tests.checks.conftest import made

ROWS = """
create or replace temp table segments as from (values
    ('all', 'ticket', 'day', 'published', 40, 20, 10, 10, 25.0, 1.0, 3.0),
    ('all', 'ticket', null, 'suppressed', null, null, null, null, null, null, null),
    ('all', 'ticket', 'year', 'suppressed', null, null, null, null, null, null, null),
    ('texel', 'ticket', 'day', 'published', 0, 0, 0, 0, null, null, null)
) as rows (department_id, segment, value, status, responses, promoters, passives, detractors, nps, nps_low, nps_high);
create or replace temp table pattern as from (values
    ('all', 'published'), ('texel', 'published'), ('sea', 'suppressed')
) as rows (department_id, status)
"""


def failed(connection: duckdb.DuckDBPyConnection, change: str = "") -> list[str]:
    connection.execute(ROWS)
    if change:
        connection.execute(change)
    made(connection, "segments", {})
    return list(gate(connection, table="checked_segments", rules=RULES, parameters={"min_respondents": 10}).stopped_by)


def test_figures_by_segment_that_are_right_pass(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "update segments set department_id = 'sea' where department_id = 'texel'",
            "segments_are_of_published_departments",
        ),
        ("insert into segments from segments where value is null", "segments_are_of_published_departments"),
        ("update segments set passives = 7 where value = 'year'", "segments_are_of_enough_people"),
        (
            "update segments set responses = 9, promoters = 3, passives = 3, detractors = 3, nps = 0"
            " where department_id = 'texel'",
            "segments_are_of_enough_people",
        ),
        ("update segments set passives = 11 where responses = 40", "segments_are_possible"),
        ("update segments set nps = 24 where responses = 40", "segments_are_possible"),
        ("update segments set nps_low = 4 where responses = 40", "segments_are_possible"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert failed(connection, change) == [rule]
