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
