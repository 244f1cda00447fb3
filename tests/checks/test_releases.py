"""What is published is what was sealed: every row of every table, and none besides."""

from pathlib import Path

import duckdb
import pytest

from checks.gate import gate
from checks.releases import RULES, beside_seal

SEALED = "select * from (values ('all', 39.8398), ('texel', null)) as t (department_id, nps)"
KEY = "select 'r1' as release_id, 1 as revision, true as is_latest"


def failed(connection: duckdb.DuckDBPyConnection, table: str, sealed: Path) -> int | None:
    parameters = {"table": table, "release_id": "r1", "sealed": str(sealed)}
    connection.execute(f"create or replace temporary table checked as {beside_seal(table)}", parameters)
    (result,) = gate(connection, table="checked", rules=RULES, parameters={}).results
    return result.failed_count


@pytest.mark.parametrize(
    ("change", "tables"),
    [
        ("update mart.promoter_metrics set release_id = release_id", 0),
        ("update mart.promoter_metrics set nps = 39.8397 where department_id = 'all'", 1),
        ("update mart.promoter_metrics set nps = 12 where department_id = 'texel'", 1),
        ("delete from mart.promoter_metrics where department_id = 'texel'", 1),
        ("insert into mart.promoter_metrics from mart.promoter_metrics", 1),
        ("insert into mart.promoter_metrics values ('r1', 1, true, 'vlieland', 51.0)", 1),
        ("insert into mart.promoter_metrics values ('r2', 2, true, 'all', 12.0)", 0),
    ],
)
def test_a_published_row_that_differs_from_its_seal_is_found(tmp_path: Path, change: str, tables: int) -> None:
    sealed = tmp_path / "promoter_metrics.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({SEALED}) to '{sealed}'")
        connection.execute("create schema mart")
        connection.execute(f"create table mart.promoter_metrics as {KEY}, * from ({SEALED})")
        connection.execute(change)
        assert failed(connection, "promoter_metrics", sealed) == tables


def test_a_release_that_was_sealed_before_a_column_was_thought_of_has_null_there(tmp_path: Path) -> None:
    sealed = tmp_path / "promoter_metrics.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({SEALED}) to '{sealed}'")
        connection.execute("create schema mart")
        columns = "department_id, null::double as reach, nps"
        connection.execute(f"create table mart.promoter_metrics as {KEY}, {columns} from ({SEALED})")
        for change, tables in (("reach = null", 0), ("reach = 2 where department_id = 'all'", 1)):
            connection.execute(f"update mart.promoter_metrics set {change}")
            assert failed(connection, "promoter_metrics", sealed) == tables


def test_a_path_is_published_as_its_names_in_a_row(tmp_path: Path) -> None:
    sealed = tmp_path / "departments.parquet"
    with duckdb.connect() as connection:
        rows = "select * from (values ('all', []), ('texel', ['Ships', 'Texel'])) as t (department_id, path)"
        connection.execute(f"copy ({rows}) to '{sealed}'")
        connection.execute("create schema mart")
        shown = f"select * replace (array_to_string(path, ' > ') as path) from ({rows})"
        connection.execute(f"create table mart.departments as {KEY}, * from ({shown})")
        for change, tables in (("path = path", 0), ("path = 'Ports' where department_id = 'texel'", 1)):
            connection.execute(f"update mart.departments set {change}")
            assert failed(connection, "departments", sealed) == tables
