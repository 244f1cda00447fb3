"""Each rule for earlier waves in today's tree."""

import duckdb
import pytest

from checks.gate import gate
from checks.regrouped import RULES
from tests.checks.conftest import made

REGROUPED = """
create or replace temp table regrouped as from (values
    ('all', null, 0, 'r1', 'published', 60, 30, 18, 12, 30.0::double, 20.0::double, 40.0::double),
    ('b', 'all', 1, 'r1', 'published', 40, 20, 12, 8, 30.0, 15.0, 45.0),
    ('a', 'all', 1, 'r1', 'suppressed', null, null, null, null, null, null, null),
    ('a-r', 'a', 2, 'r1', 'published', 0, 0, 0, 0, null, null, null),
    ('all', null, 0, 'r0', 'published', 60, 30, 18, 12, 30.0, 20.0, 40.0),
    ('b', 'all', 1, 'r0', 'suppressed', null, null, null, null, null, null, null)
) as rows (department_id, parent_id, level, compared_release_id, status, responses, promoters, passives, detractors,
    nps, nps_low, nps_high)
"""


def failed(connection: duckdb.DuckDBPyConnection, change: str = "") -> list[str]:
    connection.execute(REGROUPED)
    if change:
        connection.execute(change)
    made(connection, "regrouped", {})
    return list(gate(connection, table="checked_regrouped", rules=RULES, parameters={"min_respondents": 10}).stopped_by)


def test_what_is_right_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection) == []


def test_many_of_one_class_may_be_shown_alone_and_never_be_left_over(connection: duckdb.DuckDBPyConnection) -> None:
    counts = "responses = 40, promoters = 10, passives = 18, detractors = 12, nps = -5.0, nps_low = -20.0"
    left_over = f"update regrouped set {counts} where department_id = 'b' and compared_release_id = 'r1'"
    assert failed(connection, left_over) == ["regrouped_residual_is_large"]  # twenty promoters, and nobody else
    counts = "responses = 20, passives = 0, detractors = 0, nps = 100.0, nps_high = 100.0"
    alone = f"update regrouped set {counts} where department_id = 'b' and compared_release_id = 'r1'"
    assert failed(connection, alone) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("insert into regrouped from regrouped where department_id = 'a'", "regrouped_once"),
        ("update regrouped set nps_low = 1 where department_id = 'a'", "regrouped_suppressed_is_empty"),
        (
            "update regrouped set responses = 53, promoters = 27, passives = 16, detractors = 10, nps = 1700 / 53.0"
            " where department_id = 'b' and compared_release_id = 'r1'",
            "regrouped_residual_is_large",
        ),
        ("update regrouped set nps = 31.0 where compared_release_id = 'r0'", "regrouped_is_possible"),
        ("update regrouped set passives = 17 where compared_release_id = 'r0'", "regrouped_is_possible"),
        ("update regrouped set nps_low = 31.0 where compared_release_id = 'r0'", "regrouped_is_possible"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert rule in failed(connection, change)
