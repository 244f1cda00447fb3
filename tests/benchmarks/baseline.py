"""The bare script: the same export to typed Parquet, the same rules in one query, the same tallies; nothing else."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

THREADS = 2
HERE = Path(__file__).parent


def run_baseline(csv: Path, folder: Path) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Broken records by rule, and the tallies of every department, from a new connection."""
    parquet = {"parquet": str(folder / "responses.parquet")}
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(_sql("copy"), {"csv": str(csv), **parquet})
        (rules,) = _rows(connection, _sql("rules"), parquet)
        return rules, _rows(connection, _sql("tallies"), parquet)


def _sql(step: str) -> str:
    return (HERE / f"baseline_{step}.sql").read_text(encoding="utf-8")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    result = connection.execute(sql, parameters)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        rules, tallies = run_baseline(Path(sys.argv[1]), Path(scratch))
    print({name: count for name, count in rules.items() if count}, f"{len(tallies)} departments", sep="\n")
