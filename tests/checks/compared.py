"""A small release with what is made of its metrics, and the rules that fail on it, for the tests of these tables."""

from collections.abc import Sequence

import duckdb

from checks.gate import gate
from checks.rules import Rule
from tests.checks.conftest import made

RELEASE = """
create or replace temp table promoter_metrics as from (values
    ('all', 0, 'published', 300, 30.0, 2.0, 0.2, 'r1'),
    ('ships', 1, 'published', 200, 40.0, null, null, null),
    ('ports', 1, 'published', 95, 10.0, 1.0, 0.4, 'r1'),
    ('quiet', 1, 'published', 0, null, null, null, null),
    ('lost', 1, 'suppressed', null, null, null, null, null)
) as rows (department_id, level, status, responses, nps, nps_change, change_p_value, previous_release_id);
create or replace temp table comparisons as from (values
    ('ships', 40.0, 10.0, 30.0, 20.0, 40.0, 0.01, 30.0, 20.0, 40.0, 15.0, 45.0, 39.0),
    ('ports', 10.0, 40.0, -30.0, -40.0, -20.0, 0.01, 30.0, 18.0, 42.0, 12.0, 48.0, 12.0)
) as rows (department_id, nps, nps_rest, rest_difference, rest_difference_low, rest_difference_high, rest_p_value,
    funnel_centre, funnel_low_95, funnel_high_95, funnel_low_998, funnel_high_998, nps_shrunken);
create or replace temp table changes as from (values
    ('all', 'previous', 'r1', 2.0, 1.0, 3.0, 0.2),
    ('ports', 'previous', 'r1', 1.0, -1.0, 3.0, 0.4),
    ('ports', 'year_before', 'r0', 4.0, 1.0, 7.0, 0.03)
) as rows (department_id, basis, compared_release_id, nps_change, nps_change_low, nps_change_high, p_value);
create or replace temp table trends as from (values
    ('all', 1, 28.0, 29.0, 27.0, 31.0), ('all', 2, 30.0, 29.0, 27.0, 31.0),
    ('ships', 2, 40.0, null, null, null),
    ('ports', 1, null, null, null, null), ('ports', 2, 10.0, null, null, null)
) as rows (department_id, position, nps, nps_smooth, nps_smooth_low, nps_smooth_high)
"""


def failed(connection: duckdb.DuckDBPyConnection, noun: str, rules: Sequence[Rule], change: str = "") -> list[str]:
    """The rules of one table that fail on the release after a change to it."""
    connection.execute(RELEASE)
    if change:
        connection.execute(change)
    made(connection, noun, {})
    verdict = gate(connection, table=f"checked_{noun}", rules=rules, parameters={"min_respondents": 10})
    assert {result.base_count for result in verdict.results} == {5}  # a department each, and nothing else to count
    return list(verdict.stopped_by)
