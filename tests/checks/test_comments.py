"""Each rule for cleaned comments: one missed, one of an older cleaning, one that hides, one with an address."""

import duckdb
import pytest

from checks.comments import RULES
from checks.gate import gate
from tests.checks.conftest import made


@pytest.fixture
def comments(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(
        "create table core.comments (batch integer, record_number bigint, version varchar, language varchar,"
        " comment varchar)"
    )
    connection.execute("create temp table counted (batch integer, record_number bigint, comment varchar)")
    connection.execute("insert into counted values (1, 1, 'mail a@b.nl'), (1, 2, 'top'), (1, 3, null)")
    connection.execute(
        "insert into core.comments values (1, 1, 'new', 'nl', 'mail [e-mailadres]'), (1, 2, 'new', 'en', 'top')"
    )
    return connection


def failed(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int | None]]:
    made(connection, "comments", {"version": "new", "longest": 8000})
    verdict = gate(connection, table="checked_comments", rules=RULES, parameters={})
    return [(one.rule.name, one.failed_count) for one in verdict.results if one.outcome == "failed"]


def test_cleaned_comments_pass(comments: duckdb.DuckDBPyConnection) -> None:
    assert failed(comments) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("delete from core.comments where record_number = 1", "comments_are_cleaned"),
        ("update core.comments set version = 'old' where record_number = 2", "comments_are_cleaned"),
        ("update core.comments set comment = 'a' || chr(10) || 'b' where record_number = 2", "comments_are_plain"),
        ("update core.comments set comment = chr(8238) || 'b' where record_number = 2", "comments_are_plain"),
        ("update core.comments set comment = repeat('x', 8001) where record_number = 2", "comments_are_plain"),
        ("update core.comments set language = 'de' where record_number = 2", "comments_are_plain"),
        ("update core.comments set comment = 'mail a@b.nl' where record_number = 1", "comments_have_no_addresses"),
        ("update core.comments set comment = 'http://b.nl' where record_number = 1", "comments_have_no_addresses"),
    ],
)
def test_a_comment_that_was_not_cleaned_stops_the_run(
    comments: duckdb.DuckDBPyConnection, change: str, rule: str
) -> None:
    comments.execute(change)
    assert failed(comments) == [(rule, 1)]


def test_the_checked_table_holds_no_text(comments: duckdb.DuckDBPyConnection) -> None:
    made(comments, "comments", {"version": "new", "longest": 8000})
    kinds = comments.execute("select distinct data_type from duckdb_columns where table_name = 'checked_comments'")
    assert kinds.fetchall() == [("BOOLEAN",)]
