"""No word is shown that tells of a few, alone or by subtraction, or that holds personal data."""

import duckdb
import pandas as pd
import pytest

from checks.gate import gate
from checks.themes import RULES
from tests.checks.conftest import lines, made

METRICS = pd.DataFrame(
    [
        ("all", None, 0, "published", 100, 50, 30),
        ("a", "all", 1, "published", 60, 30, 10),
        ("b", "a", 2, "published", 40, 20, 10),
        ("c", "all", 1, "suppressed", None, None, None),
    ],
    columns=["department_id", "parent_id", "level", "status", "promoters", "passives", "detractors"],
)
Row = tuple[str, str, int, int, float]


def failed(connection: duckdb.DuckDBPyConnection, *rows: Row) -> list[str]:
    """The rules that these rows break: department, theme, position, respondents, z."""
    columns = ["department_id", "theme", "position", "respondents", "z_score"]
    themes = pd.DataFrame(rows, columns=columns).assign(language="en", kind="promoters")
    for name, frame in (("metrics", METRICS), ("departments", METRICS), ("said", themes)):
        connection.register(name, frame)
    connection.execute("create or replace temp table promoter_metrics as from metrics")
    connection.execute("create or replace temp table themes as from said")
    lines(connection)
    made(connection, "themes", {})
    results = gate(connection, table="checked_themes", rules=RULES, parameters={"min_respondents": 10}).results
    return [result.rule.name for result in results if result.outcome == "failed"]


@pytest.mark.parametrize("theme", ["coffee", "on time", "café", "self-service", "don't know"])
def test_words_of_many_pass(connection: duckdb.DuckDBPyConnection, theme: str) -> None:
    assert failed(connection, ("all", theme, 1, 40, 2.0), ("a", theme, 1, 30, 3.0), ("b", theme, 10, 30, 3.0)) == []


@pytest.mark.parametrize(
    "row",
    [
        ("all", "coffee", 1, 9, 2.0),
        ("c", "coffee", 1, 20, 2.0),
        ("unknown", "coffee", 1, 20, 2.0),
        ("all", "coffee", 1, 101, 2.0),
    ],
)
def test_words_of_a_few_or_of_a_department_that_is_not_shown_are_found(
    connection: duckdb.DuckDBPyConnection, row: Row
) -> None:
    assert failed(connection, row) == ["themes_are_of_many"]


def test_a_word_whose_users_leave_a_few_by_subtraction_is_found_however_far_apart(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert failed(connection, ("all", "view", 1, 29, 2.0), ("b", "view", 1, 20, 2.0)) == ["themes_are_of_many"]
    assert failed(connection, ("all", "view", 1, 30, 2.0), ("b", "view", 1, 20, 2.0)) == []
    nested = (("all", "view", 1, 30, 2.0), ("a", "view", 1, 30, 2.0), ("b", "view", 1, 15, 2.0))
    assert failed(connection, *nested) == []


@pytest.mark.parametrize("theme", ["jan@post", "06", "post.example", "www", "http", "x1", "one two three", "<b>", "a"])
def test_what_looks_like_personal_data_is_found(connection: duckdb.DuckDBPyConnection, theme: str) -> None:
    assert failed(connection, ("all", theme, 1, 40, 2.0)) == ["themes_hold_no_personal_data"]


@pytest.mark.parametrize("row", [("all", "view", 11, 40, 2.0), ("all", "view", 1, 40, 1.9)])
def test_an_eleventh_word_or_one_by_chance_is_found(connection: duckdb.DuckDBPyConnection, row: Row) -> None:
    assert failed(connection, row) == ["themes_set_apart"]
