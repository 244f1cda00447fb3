"""What is published is what was sealed: every figure, of every department, and none besides."""

from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from checks.gate import gate
from checks.promoter_metrics import RULES

SEALED = "select * from (values ('all', 39.8398), ('texel', null)) as t (department_id, nps)"


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ("update mart.promoter_metrics set release_id = release_id", 0),
        ("update mart.promoter_metrics set nps = 39.8397 where department_id = 'all'", 1),
        ("update mart.promoter_metrics set nps = 12 where department_id = 'texel'", 1),
        ("delete from mart.promoter_metrics where department_id = 'texel'", 1),
        ("insert into mart.promoter_metrics values ('r1', 1, true, 'vlieland', 51.0)", 1),
        ("insert into mart.promoter_metrics values ('r2', 2, true, 'all', 12.0)", 0),
    ],
)
def test_a_published_figure_that_differs_from_its_seal_is_found(tmp_path: Path, change: str, failed: int) -> None:
    sealed = tmp_path / "promoter_metrics.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({SEALED}) to '{sealed}'")
        connection.execute("create schema mart")
        first = "select 'r1' as release_id, 1 as revision, true as is_latest"
        connection.execute(f"create table mart.promoter_metrics as {first}, * from ({SEALED})")
        connection.execute(change)
        sql = (files("checks") / "promoter_metrics.sql").read_text(encoding="utf-8")
        connection.execute(f"create temporary table checked as {sql}", {"release_id": "r1", "sealed": str(sealed)})
        (result,) = gate(connection, table="checked", rules=RULES, parameters={}).results
    assert result.failed_count == failed


def test_a_release_that_was_sealed_before_a_column_was_thought_of_has_null_there(tmp_path: Path) -> None:
    sealed = tmp_path / "promoter_metrics.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({SEALED}) to '{sealed}'")
        connection.execute("create schema mart")
        columns = "'r1' as release_id, 1 as revision, true as is_latest, department_id, null::double as reach, nps"
        connection.execute(f"create table mart.promoter_metrics as select {columns} from ({SEALED})")
        sql = (files("checks") / "promoter_metrics.sql").read_text(encoding="utf-8")
        for change, failed in (("reach = null", 0), ("reach = 2 where department_id = 'all'", 1)):
            connection.execute(f"update mart.promoter_metrics set {change}")
            named = {"release_id": "r1", "sealed": str(sealed)}
            connection.execute(f"create or replace temporary table checked as {sql}", named)
            (result,) = gate(connection, table="checked", rules=RULES, parameters={}).results
            assert result.failed_count == failed
