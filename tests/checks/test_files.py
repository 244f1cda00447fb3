"""Each rule of the contract with what came in, with files that keep it and files that break it."""

import duckdb
import pytest

from checks.files import RULES
from checks.gate import gate
from tests.checks.conftest import made
from transforms.current import Duplicates, current

GOOD: dict[str, object] = {
    "name": "answers.csv",
    "columns": ["score", "place"],
    "mapped_columns": ["score"],
    "columns_before": ["score", "place"],
    "in_count": 100,
    "accepted_count": 95,
    "quarantined_count": 3,
    "dropped_count": 2,
    "rejected_count": 2,
}


def failed(connection: duckdb.DuckDBPyConnection, **differences: object) -> list[str]:
    row = GOOD | differences
    connection.execute(
        "create or replace temp table files (name varchar, columns varchar[], mapped_columns varchar[],"
        " columns_before varchar[], in_count bigint, accepted_count bigint, quarantined_count bigint,"
        " dropped_count bigint, rejected_count bigint)"
    )
    for values in (GOOD, row):
        connection.execute("insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(values.values()))
    verdict = gate(connection, table="files", rules=RULES, parameters={})
    return [result.rule.name for result in verdict.results if result.outcome == "failed"]


@pytest.mark.parametrize(
    ("differences", "names"),
    [
        ({}, []),
        ({"columns_before": None}, []),
        ({"in_count": 0, "accepted_count": 0, "quarantined_count": 0, "dropped_count": 0}, ["file_has_records"]),
        ({"mapped_columns": ["score", "weight"]}, ["columns_are_mapped"]),
        ({"mapped_columns": ["Score"]}, []),
        ({"columns": ["place", "score"]}, ["columns_are_as_before"]),
        ({"rejected_count": 3}, ["record_is_readable"]),
        ({"accepted_count": 96}, ["records_add_up"]),
        ({"accepted_count": None, "quarantined_count": None, "dropped_count": None}, []),
    ],
)
def test_what_came_in_keeps_its_contract(
    connection: duckdb.DuckDBPyConnection, differences: dict[str, object], names: list[str]
) -> None:
    # a file without records has no share of rejected ones either
    if differences.get("in_count") == 0:
        differences = differences | {"rejected_count": 0}
    assert failed(connection, **differences) == names


BATCHES = """
create schema raw;
create table core.batches (batch integer, survey varchar, file_id varchar);
create table raw.files (
    survey varchar, file_id varchar, source varchar, name varchar, records bigint, columns varchar[],
    fetched_at timestamp
);
create table core.quarantine (batch integer, record_number bigint, line_number bigint);
create table core.responses (
    batch integer, record_number bigint, response_key varchar, score tinyint, respondent_key uhugeint, wave varchar,
    responded_at timestamp, department_key varchar, weight decimal(18, 10), told_count integer, told_count_most integer,
    acted_count integer, is_copied boolean, warned_count integer, warned_count_most integer, warned_acted_count integer
);
insert into core.batches values (1, 'guests', 'a'), (2, 'guests', 'b');
insert into raw.files values
    ('guests', 'a', 'answers', 'a.csv', 6, ['score'], '2026-10-01'),
    ('guests', 'b', 'answers', 'b.csv', 3, ['score'], '2026-10-02');
insert into core.quarantine values (1, 5, null), (1, null, 7);
insert into core.responses by name select unnest([1, 1, 1, 1, 2, 2, 2]) as batch,
    unnest([1, 2, 3, 4, 1, 2, 3]) as record_number, unnest(['x', 'y', 'z', 'z', 'x', 'y', 'y']) as response_key,
    unnest([9, 8, 7, 7, 9, 3, 3]) as score;
"""


@pytest.mark.parametrize(
    ("duplicates", "dropped"), [("keep", [0, 0]), ("drop", [1, 2]), ("latest", [3, 1])], ids=lambda value: str(value)
)
def test_records_add_up_of_counts_that_do_not_follow_from_each_other(
    connection: duckdb.DuckDBPyConnection, duplicates: Duplicates, dropped: list[int]
) -> None:
    connection.execute(BATCHES)
    connection.execute(f"create view standing as {current([1, 2], duplicates=duplicates)}")
    parameters = {"mapped": ["score"], "batches": [1, 2], "duplicates": duplicates}

    def is_sum() -> bool:
        made(connection, "files", parameters)
        verdict = gate(connection, table="checked_files", rules=RULES, parameters={})
        return "records_add_up" not in [one.rule.name for one in verdict.results if one.outcome == "failed"]

    assert is_sum()
    assert connection.execute("select dropped_count from checked_files order by file_id").fetchall() == [
        (count,) for count in dropped
    ]
    for change in (
        "delete from core.responses where batch = 2 and record_number = 2",
        "delete from core.quarantine where line_number = 7",
        "insert into core.responses by name select 2 as batch, 4 as record_number, 'w' as response_key",
        "create or replace view standing as from core.responses limit 2",
    ):
        connection.execute("begin")
        connection.execute(change)
        assert not is_sum(), change
        connection.execute("rollback")
