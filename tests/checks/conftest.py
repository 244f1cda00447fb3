"""A real DuckDB with core.incoming as it is while a file is checked: a good row, altered as a test needs it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

import duckdb
import pytest

from checks.conditions import Value
from transforms.sql import text

COLUMNS = {
    "survey": "varchar",
    "response_key": "varchar",
    "wave": "varchar",
    "responded_at": "timestamp",
    "department_key": "varchar",
    "score": "smallint",
    "weight": "decimal(18, 10)",
    "told_count": "integer",
    "told_count_most": "integer",
    "acted_count": "integer",
    "is_copied": "boolean",
    "warned_count": "integer",
    "warned_count_most": "integer",
    "warned_acted_count": "integer",
    "score_is_readable": "boolean",
    "weight_is_readable": "boolean",
    "responded_at_is_readable": "boolean",
    "told_count_is_readable": "boolean",
    "acted_count_is_readable": "boolean",
    "warned_count_is_readable": "boolean",
    "warned_acted_count_is_readable": "boolean",
    "copied_is_readable": "boolean",
    "department_levels_are_text": "boolean",
    "drivers_are_readable": "boolean",
    "segments_are_text": "boolean",
    "drivers": "map(varchar, double)",
    "segments": "map(varchar, varchar)",
}
GOOD: dict[str, object] = {
    "survey": "passengers",
    "response_key": "1",
    "wave": "2026-10",
    "responded_at": datetime(2026, 10, 5, 12),
    "department_key": "Ships\x1fTexel",
    "score": 9,
    **{name: True for name, kind in COLUMNS.items() if kind == "boolean" and name != "is_copied"},
}
PARAMETERS: dict[str, Value] = {"score_low": 0, "score_high": 10, "latest_response_at": datetime(2026, 11, 2)}

Fill = Callable[..., None]


def made(connection: duckdb.DuckDBPyConnection, noun: str, parameters: dict[str, Any]) -> None:
    """Make the table that a noun's rules read, with the select beside them, as the flow does."""
    select = (files("checks") / f"{noun}.sql").read_text(encoding="utf-8")
    connection.execute(f"create or replace temp table checked_{noun} as {select}", parameters or None)


def lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table of who is above whom, of `departments`."""
    connection.execute(f"create or replace temp table lines as {text('lines')}")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema core")
        yield connection


@pytest.fixture
def incoming(connection: duckdb.DuckDBPyConnection) -> Fill:
    """Fill core.incoming with good rows, each with the differences given."""

    def fill(*rows: dict[str, object]) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"create or replace table core.incoming ({columns})")
        for row in rows:
            values = GOOD | row
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(f"insert into core.incoming ({names}) values ({marks})", list(values.values()))

    return fill
