"""Each rule for the course of departments through the waves."""

import duckdb
import pytest

from checks.trends import RULES
from tests.checks.compared import failed


def test_a_release_that_is_right_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection, "trends", RULES) == []


def test_a_hidden_department_has_no_course(connection: duckdb.DuckDBPyConnection) -> None:
    for change in (
        "update promoter_metrics set status = 'suppressed', nps = null where department_id = 'ships'",
        "insert into trends values ('lost', 2, 3, null, null, null)",
    ):
        assert failed(connection, "trends", RULES, change) == [
            "only_published_has_a_trend",
            "trends_end_with_this_wave",
        ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("delete from trends where department_id = 'ships'", "only_published_has_a_trend"),
        ("insert into trends from trends where position = 1", "only_published_has_a_trend"),
        ("update trends set nps = 12 where department_id = 'ports' and position = 2", "trends_end_with_this_wave"),
        ("update trends set nps_smooth = 40", "smooths_lie_in_their_bands"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert failed(connection, "trends", RULES, change) == [rule]
