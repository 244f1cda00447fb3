"""No quote holds personal data, whatever the cleaner left in, and none is of a department that is not shown."""

import duckdb
import pandas as pd
import pytest

from checks.gate import gate
from checks.quotes import RULES
from tests.checks.conftest import made

SHOWN = "('all', 'published', 100), ('b', 'published', 9), ('c', 'suppressed', null)"
GOOD = "The friendly crew made our day."


def failed(connection: duckdb.DuckDBPyConnection, *rows: tuple[str, int, str]) -> list[str]:
    """The rules that these rows break: department, position, quote."""
    quotes = pd.DataFrame(rows, columns=["department_id", "position", "quote"]).assign(language="en")
    connection.register("said", quotes)
    connection.execute(
        "create or replace temp table promoter_metrics as"
        f" select * from (values {SHOWN}) as t (department_id, status, promoters)"
    )
    connection.execute("create or replace temp table quotes as from said")
    made(connection, "quotes", {})
    results = gate(connection, table="checked_quotes", rules=RULES, parameters={"min_respondents": 10}).results
    return [result.rule.name for result in results if result.outcome == "failed"]


def test_three_quotes_of_a_published_department_pass(connection: duckdb.DuckDBPyConnection) -> None:
    assert failed(connection, *(("all", place, GOOD) for place in (1, 2, 3))) == []
    assert failed(connection, ("all", 1, "We were at the port at 12.30, and 4 of us had lunch.")) == []


@pytest.mark.parametrize(
    "rows", [[("c", 1, GOOD)], [("b", 1, GOOD)], [("all", place, GOOD) for place in (1, 2, 3, 3)], [("all", 1, "Top")]]
)
def test_a_quote_of_few_or_a_fourth_is_found(
    connection: duckdb.DuckDBPyConnection, rows: list[tuple[str, int, str]]
) -> None:
    assert failed(connection, *rows) == ["quotes_are_of_many"]


@pytest.mark.parametrize(
    "personal",
    [
        "j.visser@post.example",
        "j visser at post dot example",
        "06-12345678",
        "06 12 34 56 78",
        "+31 (0)6 1234 5678",
        "111222333",
        "1112.22.333",
        "NL91 ABNA 0417 1643 00",
        "nl91abna0417164300",
        "https://post.example/x",
        "www.post.example",
        "voorbeeld.nl",
        "\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    ],
)
def test_personal_data_in_a_quote_is_found(connection: duckdb.DuckDBPyConnection, personal: str) -> None:
    assert failed(connection, ("all", 1, f"Thanks to all, and call me: {personal} please")) == [
        "quotes_hold_no_personal_data"
    ]


def test_both_rules_are_critical() -> None:
    assert {rule.severity for rule in RULES} == {"critical"}
