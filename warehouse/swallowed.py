"""Lines that quotation marks take away: one that is never closed, or two stray ones that make one legal cell."""

from importlib.resources import files
from pathlib import Path

import numpy as np

from warehouse import WarehouseError
from warehouse.delimited import SWALLOWING, lines_lost
from warehouse.formats import Separated
from warehouse.store import Store, quoted

CHUNK_BYTES = 1 << 18


def see_that_none_is_lost(store: Store, name: str, text: Separated) -> None:
    """An error where the parser gave up on a text that never ends, and did not tell of all its lines in `rejects`."""
    first, count = store.rows(
        "select min(line_number) filter (regexp_matches(reason, $swallowing)), count(*) from rejects",
        {"swallowing": "|".join(SWALLOWING)},
    )[0]
    lost = 0 if first is None else lines_lost(store, text, count)
    if lost:
        raise WarehouseError(
            f"{name}: a quotation mark in or near line {first} is never closed, and {lost} lines after it "
            "cannot be read; mend that line, or export the file again"
        )


def see_that_none_is_swallowed(store: Store, name: str, text: Separated, *, records: int) -> None:
    """An error where a cell, or a line that was rejected, holds records; without line breaks in cells it costs nothing.

    Reads the table `rejects`. `records` is how many the parser gave.
    """
    rejected = store.rows("select count(*) from rejects")[0][0]
    if _lines(text.path) <= text.skip + 1 + records + rejected:
        return
    store.run(f"create or replace temporary view records as {_records(text)}")
    found = store.rows(
        (files("warehouse") / "swallowed.sql").read_text(encoding="utf-8"),
        {"columns": len(text.columns), "delimiter": text.delimiter, "is_spaced": text.is_spaced},
    )
    if found:
        record, line, place, count = found[0]
        where = f"line {line}" if record is None else _where(store, text, record, text.columns[place - 1])
        raise WarehouseError(
            f"{name}: a quotation mark in {where} opens a text that another one closes {count:,} lines further on, and "
            "those lines are records: none of them would count. Take both marks out or export the file again; if a "
            "respondent did write these lines, export with another delimiter, or as JSON Lines"
        )


def _lines(path: Path) -> int:
    """How many lines a text has, also one whose last has no end, or where all end as they once did on a Mac."""
    return _ends(path, b"\n") or _ends(path, b"\r")


def _ends(path: Path, mark: bytes) -> int:
    ends, chunk = 0, b""
    with path.open("rb") as file:
        while more := file.read(CHUNK_BYTES):
            chunk = more
            ends += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord(mark)))
    return ends + (ends > 0 and not chunk.endswith(mark))


def _records(text: Separated) -> str:
    cells = ", ".join(map(quoted, text.columns))
    return f"select row_number() over () as record, [{cells}] as cells from {text.again}"


def _where(store: Store, text: Separated, record: int, column: str) -> str:
    """The record's number, and its line as far as no line before it was rejected or is blank."""
    before = store.rows(
        "select coalesce(sum(len(string_split(array_to_string(cells, ''), chr(10)))), 0) from records"
        " where record < $record",
        {"record": record},
    )[0][0]
    return f"column '{column}' of record {record:,} (in or near line {text.skip + 2 + int(before):,})"
