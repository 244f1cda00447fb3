"""Each rule for what departments are beside each other."""

import duckdb
import pytest

from checks.comparisons import RULES
from tests.checks.compared import failed


def test_a_release_that_is_right_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection, "comparisons", RULES) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "update promoter_metrics set status = 'suppressed', nps = null where department_id = 'ships'",
            "only_published_is_compared",
        ),
        ("delete from comparisons where department_id = 'ships'", "only_published_is_compared"),
        ("update comparisons set nps = 41 where department_id = 'ships'", "only_published_is_compared"),
        ("update promoter_metrics set responses = 295 where department_id = 'ships'", "the_rest_is_large"),
        ("update comparisons set rest_difference = 29", "comparisons_are_possible"),
        ("update comparisons set funnel_low_998 = funnel_low_95 + 1", "comparisons_are_possible"),
        ("update comparisons set rest_p_value = 1.5", "comparisons_are_possible"),
    ],
)
def test_what_does_not_hold_is_found_by_the_rule_for_it(
    connection: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    assert failed(connection, "comparisons", RULES, change) == [rule]
