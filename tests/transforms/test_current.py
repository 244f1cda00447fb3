"""Duplicates are a visible setting: kept, dropped where all is the same, or the latest of each response id."""

from collections.abc import Iterator
from importlib.resources import files

import duckdb
import pytest

from transforms.current import Duplicates, current, dropped


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two files: the second brings one exact copy, one edit, and one new answer of another wave."""
    with duckdb.connect() as made:
        made.execute((files("warehouse") / "schema" / "0001_layers.sql").read_text(encoding="utf-8"))
        made.execute("""
            insert into core.responses by name
            select 's' as survey, batch, record_number, response_key, wave, 'a' as department_key, score,
                   false as is_contradictory
            from (values
                (7, 1, 'r1', '2026-09', 9), (7, 2, 'r2', '2026-09', 3), (7, 3, 'r2', '2026-09', 3),
                (4, 1, 'r1', '2026-09', 9), (4, 2, 'r2', '2026-09', 8), (4, 3, 'r3', '2026-10', 10)
            ) as t (batch, record_number, response_key, wave, score)
        """)
        yield made


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[int, int]]:
    return connection.execute(f"select batch, record_number from ({sql}) order by all").fetchall()


def test_kept_duplicates_all_count(connection: duckdb.DuckDBPyConnection) -> None:
    assert len(rows(connection, current([7, 4], duplicates="keep"))) == 6


def test_dropped_duplicates_are_the_same_in_all_that_is_read(connection: duckdb.DuckDBPyConnection) -> None:
    assert rows(connection, current([7, 4], duplicates="drop")) == [(4, 2), (4, 3), (7, 1), (7, 2)]


def test_the_latest_of_a_response_id_stands_in_the_order_in_which_files_came(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(connection, current([7, 4], duplicates="latest")) == [(4, 1), (4, 2), (4, 3)]
    assert rows(connection, current([4, 7], duplicates="latest")) == [(4, 3), (7, 1), (7, 3)]


@pytest.mark.parametrize("duplicates", ["keep", "drop", "latest"])
def test_what_is_dropped_is_what_came_and_does_not_stand(
    connection: duckdb.DuckDBPyConnection, duplicates: Duplicates
) -> None:
    connection.execute("insert into core.responses select * replace (8 as batch) from core.responses")
    ((count,),) = connection.execute(dropped("core.responses", duplicates=duplicates)).fetchall()
    assert len(rows(connection, current([7, 4, 8], duplicates=duplicates))) == 12 - count


def test_a_wave_is_chosen_after_duplicates_are_settled(connection: duckdb.DuckDBPyConnection) -> None:
    assert rows(connection, current([7, 4], duplicates="latest", wave="2026-10")) == [(4, 3)]
    assert rows(connection, current([], duplicates="keep")) == []
