"""Each rule for tallies, on a tree of an organisation, two departments and the parts of one of them."""

import duckdb
import pytest

from checks.gate import gate
from checks.tallies import RULES
from tests.checks.conftest import made

COUNTS = (
    *("responses", "missing_scores", "promoters", "passives", "detractors", "told_known", "told", "influence_known"),
    *("superpromoters", "warned_known", "warned", "warned_influence_known", "antipromoters"),
    *("respondent_promoters", "respondent_passives", "respondent_detractors"),
    *("people_told", "paired", "paired_told", "paired_acted", "tellers", "paired_with_effect"),
)
TREE = [("all", None, ""), ("ships", "all", "Ships"), ("texel", "ships", "Ships\x1fTexel"), ("ports", "all", "Ports")]
#                responses, missing, P, Q, D, then promoters' ladder, detractors' ladder, respondents, people
ROWS = {
    "all": (60, 4, 30, 20, 10, 30, 20, 18, 9, 10, 5, 4, 1, 29, 20, 10, 44, 18, 40, 13, 21, 9),
    "ships": (40, 3, 20, 13, 7, 20, 14, 12, 6, 7, 4, 3, 1, 19, 13, 7, 30, 12, 28, 9, 14, 6),
    "texel": (35, 2, 18, 11, 6, 18, 12, 11, 6, 6, 4, 3, 1, 17, 11, 6, 26, 11, 25, 8, 12, 6),
    "ports": (20, 1, 10, 7, 3, 10, 6, 6, 3, 3, 1, 1, 0, 10, 7, 3, 14, 6, 12, 4, 6, 3),
}
DIRECT = {"Ships": (5, 1, 2, 2, 1), "Ships\x1fTexel": (35, 2, 18, 11, 6), "Ports": (20, 1, 10, 7, 3)}


@pytest.fixture
def tallies(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    columns = ", ".join(f"{name} bigint" for name in COUNTS)
    connection.execute(f"create table core.tallies (survey varchar, wave varchar, department_id varchar, {columns})")
    for department, counts in ROWS.items():
        marks = ", ".join("?" * (3 + len(COUNTS)))
        connection.execute(f"insert into core.tallies values ({marks})", ["passengers", "2026-10", department, *counts])
    connection.execute(
        "insert into core.tallies select * replace ('2026-09' as wave, 1 as responses) from core.tallies"
    )
    connection.execute(
        "create temp table departments (department_id varchar, parent_id varchar, department_key varchar)"
    )
    connection.executemany("insert into departments values (?, ?, ?)", TREE)
    connection.execute(
        "create temp table cells (department_key varchar, responses bigint, missing_scores bigint, promoters bigint,"
        " passives bigint, detractors bigint)"
    )
    connection.executemany("insert into cells values (?, ?, ?, ?, ?, ?)", [(k, *v) for k, v in DIRECT.items()])
    connection.execute("create temp view counted as select i from range(64) numbers(i)")
    return connection


def failed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    made(connection, "tallies", {"survey": "passengers", "wave": "2026-10"})
    verdict = gate(connection, table="checked_tallies", rules=RULES, parameters={})
    return [result.rule.name for result in verdict.results if result.outcome == "failed"]


def test_tallies_that_add_up_pass(tallies: duckdb.DuckDBPyConnection) -> None:
    assert failed(tallies) == []


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("passives = passives + 1 where department_id = 'texel'", ["classes_add_up"]),
        (
            "detractors = 4, passives = 6, respondent_passives = 6 where department_id = 'ports'",
            ["departments_add_up"],
        ),
        ("missing_scores = missing_scores + 1 where department_id = 'texel'", ["departments_add_up"]),
        ("respondent_promoters = 19 where department_id = 'texel'", ["respondents_are_no_more_than_responses"]),
        ("superpromoters = influence_known + 1 where department_id = 'ports'", ["ladders_descend"]),
        ("antipromoters = 99 where department_id = 'ships'", ["ladders_descend"]),
        ("people_told = told - 1 where department_id = 'ports'", ["people_are_as_many_as_told"]),
        ("tellers = told - 1 where department_id = 'ports'", ["people_are_as_many_as_told"]),
        ("paired_with_effect = paired_acted + 1 where department_id = 'ports'", ["people_are_as_many_as_told"]),
        ("paired_acted = paired_told + 1 where department_id = 'ports'", ["people_are_as_many_as_told"]),
    ],
)
def test_tallies_that_do_not_add_up_stop_the_run(
    tallies: duckdb.DuckDBPyConnection, change: str, names: list[str]
) -> None:
    head, _, where = change.partition(" where ")
    tallies.execute(f"update core.tallies set {head} where {where} and wave = '2026-10'")
    assert failed(tallies) == names


def test_an_answer_that_no_department_counts_stops_the_run(tallies: duckdb.DuckDBPyConnection) -> None:
    tallies.execute("create or replace temp view counted as select i from range(65) numbers(i)")
    assert failed(tallies) == ["every_answer_is_counted"]
