"""Each rule for drivers, on two departments of two drivers each."""

import duckdb
import pytest

from checks.drivers import RULES
from checks.gate import gate
from tests.checks.conftest import lines, made

ROWS = [
    ("all", "crew", "strength", None, 400, 0.7, 0.6, 0.8, 0.4),
    ("all", "price", None, None, 400, 0.3001, 0.2, 0.4, 0.4),
    ("texel", "crew", "both", None, 40, 1.0, 0.9, 1.0, 0.4),
    ("texel", "price", None, "constant", 40, None, None, None, 0.4),
]


@pytest.fixture
def drivers(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(
        "create temp table drivers (department_id varchar, driver varchar, kind varchar, left_out varchar,"
        " responses bigint, importance double, importance_low double, importance_high double, r_squared double)"
    )
    connection.executemany("insert into drivers values (?, ?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
    connection.execute("create temp table departments (department_id varchar, parent_id varchar)")
    connection.execute("insert into departments values ('all', null), ('islands', 'all'), ('texel', 'islands')")
    lines(connection)
    connection.execute("create temp table pattern (department_id varchar, status varchar)")
    connection.execute("insert into pattern values ('all', 'published'), ('texel', 'published'), ('sea', 'suppressed')")
    return connection


def failed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    made(connection, "drivers", {})
    verdict = gate(connection, table="checked_drivers", rules=RULES, parameters={"min_respondents": 10})
    return [result.rule.name for result in verdict.results if result.outcome == "failed"]


def test_drivers_that_are_shares_of_one_whole_pass(drivers: duckdb.DuckDBPyConnection) -> None:
    assert failed(drivers) == []
    drivers.execute("delete from drivers")
    assert failed(drivers) == []


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("department_id = 'sea' where department_id = 'texel'", ["drivers_are_of_published_departments"]),
        ("department_id = 'nowhere' where department_id = 'texel'", ["drivers_are_of_published_departments"]),
        ("responses = 19 where department_id = 'texel'", ["drivers_are_of_published_departments"]),
        ("responses = 391 where department_id = 'texel'", ["nothing_small_is_left_of_who_rated"]),
        ("responses = 401 where department_id = 'texel'", ["nothing_small_is_left_of_who_rated"]),
        ("importance = 0.65 where driver = 'crew' and department_id = 'all'", ["importances_are_shares"]),
        ("r_squared = 1.2 where department_id = 'texel'", ["importances_are_shares"]),
        ("kind = 'lever' where left_out = 'constant'", ["what_is_left_out_shows_nothing"]),
    ],
)
def test_drivers_that_cannot_be_stop_the_run(drivers: duckdb.DuckDBPyConnection, change: str, names: list[str]) -> None:
    drivers.execute(f"update drivers set {change}")
    assert failed(drivers) == names
