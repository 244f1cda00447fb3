"""Each rule for weights, on an organisation of a large department and a small one."""

import duckdb
import pytest

from checks.gate import Verdict, gate
from checks.weights import RULES
from tests.checks.conftest import made


@pytest.fixture
def weights(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A hundred answers of the ships, and twelve of the ports; all weigh 1."""
    connection.execute(
        "create temp table counted as select i as record_number, if(i < 100, 'Ships', 'Ports') as department_key,"
        " 9::tinyint as score, 1::decimal(18, 10) as weight from range(112) numbers(i)"
    )
    nodes = "(values ('all', '', 'published'), ('ships', 'Ships', 'published'), ('ports', 'Ports', 'published'))"
    connection.execute(f"create temp table nodes as select * from {nodes} nodes(department_id, department_key, status)")
    connection.execute("create temp table departments as select department_id, department_key from nodes")
    connection.execute("create temp table pattern as select department_id, status from nodes")
    return connection


def verdict(connection: duckdb.DuckDBPyConnection) -> Verdict:
    made(connection, "weights", {})
    return gate(connection, table="checked_weights", rules=RULES, parameters={})


def failed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [result.rule.name for result in verdict(connection).results if result.outcome == "failed"]


def test_equal_weights_pass_also_in_a_small_department(weights: duckdb.DuckDBPyConnection) -> None:
    assert failed(weights) == []


def test_a_survey_without_weights_is_not_asked_for_them(weights: duckdb.DuckDBPyConnection) -> None:
    weights.execute("update counted set weight = null")
    assert failed(weights) == []
    weights.execute("delete from counted")
    assert failed(weights) == []


def test_one_answer_that_speaks_for_many_is_a_warning_that_names_nobody(weights: duckdb.DuckDBPyConnection) -> None:
    weights.execute("update counted set weight = 5.2 where record_number = 0")
    assert failed(weights) == []
    weights.execute("update counted set weight = 6 where record_number = 0")
    found = verdict(weights)
    assert failed(weights) == ["no_weight_dominates"]
    assert not found.stops
    assert [result.failed_count for result in found.results] == [None, None]


def test_one_that_dominates_a_published_department_alone_is_noticed_and_in_a_hidden_one_nothing_is_told(
    weights: duckdb.DuckDBPyConnection,
) -> None:
    weights.execute("update counted set weight = 4.5 where record_number = 111")
    assert failed(weights) == ["no_weight_dominates"]
    weights.execute("update pattern set status = 'suppressed' where department_id = 'ports'")
    assert failed(weights) == []


def test_weights_that_cost_more_than_half_of_the_answers_are_a_warning(weights: duckdb.DuckDBPyConnection) -> None:
    weights.execute("update counted set weight = 0.01 where record_number % 5 > 1")
    assert failed(weights) == ["weights_leave_enough"]
    assert not verdict(weights).stops


def test_the_weight_of_an_answer_without_a_score_counts_for_nothing(weights: duckdb.DuckDBPyConnection) -> None:
    weights.execute("update counted set weight = 90, score = null where record_number = 0")
    assert failed(weights) == []
