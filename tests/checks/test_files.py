"""Each rule of the contract with what came in, with files that keep it and files that break it."""

import duckdb
import pytest

from checks.files import RULES
from checks.gate import gate

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
