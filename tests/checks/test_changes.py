"""Each rule for how departments moved."""

import duckdb
import pytest

from checks.changes import RULES
from tests.checks.compared import failed


def test_a_release_that_is_right_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection, "changes", RULES) == []


def test_a_first_wave_with_nothing_to_compare_passes(connection: duckdb.DuckDBPyConnection) -> None:
    nothing = "update promoter_metrics set nps_change = null, change_p_value = null, previous_release_id = null"
    assert failed(connection, "changes", RULES, f"delete from changes; {nothing}") == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("update changes set department_id = 'lost' where basis = 'year_before'", "only_published_changes"),
        ("insert into changes from changes where basis = 'year_before'", "only_published_changes"),
        ("update changes set nps_change_low = 9 where basis = 'year_before'", "changes_are_possible"),
        ("update changes set nps_change = 2 where basis = 'previous'", "changes_are_those_of_the_metrics"),
        ("update changes set p_value = 0.1 where basis = 'previous'", "changes_are_those_of_the_metrics"),
        ("delete from changes where department_id = 'all'", "changes_are_those_of_the_metrics"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert failed(connection, "changes", RULES, change) == [rule]
