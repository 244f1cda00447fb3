"""Keeps the bytes that came, untouched, and opens them as a relation of text columns: the only place that parses."""

import hashlib
import os
import secrets
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from warehouse import WarehouseError, delimited, formats
from warehouse.encodings import format_of, unpacked
from warehouse.formats import Separated, Table, folded
from warehouse.store import Store
from warehouse.swallowed import see_that_none_is_lost, see_that_none_is_swallowed

CHUNK_BYTES = 1 << 20
SYNCED = 8  # chunks that go to the disk at once, while others are read
AHEAD = 32  # chunks that may wait for it


@dataclass(frozen=True)
class LandedFile:
    """One file as it came; `is_new` is false where the survey had these very bytes already."""

    survey: str
    source: str
    name: str
    file_id: str  # SHA-256 of the bytes
    path: Path
    format: str  # csv | jsonl | parquet | excel
    bytes: int
    is_new: bool
    fetched_at: datetime  # UTC: when this version was first seen, or seen again after another one
    is_offered: bool = True  # false: its source has it no more


@dataclass(frozen=True)
class TextRelation:
    """A landed file as rows of text: `select … from {sql}` reads it, in the order of the file."""

    name: str  # the file's own
    sql: str
    columns: tuple[str, ...]
    format: str
    remarks: tuple[str, ...]  # for the operator: nothing in them is data
    rejects: str  # a select of line_number, reason, original; valid once `sql` has been read
    again: str  # the same rows, for a second reading that must not store its rejects twice
    text: Separated | None = None  # what was parsed, where lines can get lost


@contextmanager
def _contract() -> Iterator[None]:
    """Errors in here say that a file is not what it was agreed to be: they stop a run as a critical check does."""
    try:
        yield
    except WarehouseError as error:
        error.exit_code = 3
        raise


def land(
    store: Store, folder: Path, *, survey: str, source: str, name: str, stream: BinaryIO, run_id: str, now: datetime
) -> LandedFile:
    """Stream a file's bytes to `landing/<sha256>`, whole or not at all, and record where they came from."""
    for stale in folder.glob(".*.part"):  # of a run that was killed: only one process holds the warehouse
        stale.unlink()
    draft = folder / f".{secrets.token_hex(8)}.part"
    try:
        file_id, size = _copied(stream, draft, name)
        if size == 0:
            raise _empty(name)
        path = folder / file_id
        if path.exists() and path.stat().st_size == size:
            draft.unlink()
        else:
            draft.replace(path)
            _synced(folder)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    kind, at = format_of(path, name), now.astimezone(UTC).replace(tzinfo=None)
    landed = LandedFile(survey, source, name, file_id, path, kind, size, _is_new(store, survey, file_id), at)
    _recorded(store, landed, run_id)
    return landed


def landed_files(
    store: Store, folder: Path, *, survey: str, sources: Collection[str], offered: Collection[tuple[str, str]]
) -> list[LandedFile]:
    """The files of a survey's sources, oldest first: the newest version of each (source, name) that is offered now.

    Of a file that is offered no more it is the newest version that was ever read; one that never was, is nothing.
    """
    rows = store.rows(
        "select survey, source, name, file_id, format, bytes, fetched_at, records is not null from raw.files"
        " where survey = $survey and list_contains($sources::varchar[], source)"
        " order by fetched_at desc, file_id",
        {"survey": survey, "sources": list(sources)},
    )
    newest: dict[tuple[str, str], LandedFile] = {}
    for _, source, name, file_id, kind, size, at, was_read in rows:
        is_offered = (source, name) in offered
        if (source, name) not in newest and (is_offered or was_read):
            newest[source, name] = LandedFile(
                survey, source, name, file_id, folder / file_id, kind, size, False, at, is_offered
            )
    return sorted(newest.values(), key=lambda file: (file.fetched_at, file.source, file.name))


@_contract()
def open_relation(
    store: Store,
    landed: LandedFile,
    *,
    expected: Collection[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> TextRelation:
    """The landed bytes as rows of text; without the `expected` columns, which the survey maps, an error."""
    if landed.bytes == 0:
        raise _empty(landed.name)
    path, remarks = unpacked(landed, store.scratch)
    if landed.format == "parquet":
        table = formats.parquet(store, landed.name, path)
    elif landed.format == "excel":
        table = formats.excel(store, landed.name, path, sheet)
    elif landed.format == "jsonl":
        table = formats.json_lines(store, landed.name, path, encoding)
    else:
        table = delimited.table(store, landed.name, path, expected, delimiter, encoding)
    _fits(landed.name, table, expected)
    remarks = (*remarks, *table.remarks, *_changes(store, landed, table.columns))
    store.run(
        "update raw.files set columns = $columns where survey = $survey and file_id = $file_id",
        {"columns": list(table.columns), "survey": landed.survey, "file_id": landed.file_id},
    )
    return TextRelation(
        landed.name, table.sql, table.columns, landed.format, remarks, table.rejects, table.again, table.text
    )


@_contract()
def parsed(store: Store, landed: LandedFile, *, records: int) -> None:
    """Record how many records the file holds, once it was read: those that a parser rejected included."""
    if records == 0:
        raise WarehouseError(f"{landed.name} holds no records; see whether the export finished, and fetch it again")
    store.run(
        "update raw.files set records = $records where survey = $survey and file_id = $file_id",
        {"records": records, "survey": landed.survey, "file_id": landed.file_id},
    )


@_contract()
def rejected(store: Store, relation: TextRelation, *, records: int) -> str:
    """A temporary table (line_number, reason, original) of what the parser rejected, once it has given the `records`.

    In large files DuckDB drops the lines that an unclosed quotation mark swallows, and tells of one: that is an error.
    So are the lines between two stray marks, which are one legal cell.
    """
    store.run(f"create or replace temporary table rejects as {relation.rejects}")
    if relation.text is not None:
        see_that_none_is_lost(store, relation.name, relation.text)
        see_that_none_is_swallowed(store, relation.name, relation.text, records=records)
    return "rejects"


def _empty(name: str) -> WarehouseError:
    error = WarehouseError(f"{name} is empty; see whether the export finished, and fetch it again")
    error.exit_code = 3
    return error


def _copied(stream: BinaryIO, draft: Path, name: str) -> tuple[str, int]:
    before = _state(stream)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, ThreadPoolExecutor(max_workers=1) as beside:
        waiting = deque[Future[None]]()
        for number, chunk in enumerate(iter(partial(stream.read, CHUNK_BYTES), b""), start=1):
            waiting.append(beside.submit(_written, file, chunk, is_synced=number % SYNCED == 0))
            digest.update(chunk)  # it takes as long as the writing
            if len(waiting) > AHEAD:
                waiting.popleft().result()
            size += len(chunk)
            if before is not None and size > before[0]:  # it may grow as fast as it is read
                break
        for written in waiting:
            written.result()
        _written(file, b"", is_synced=True)
    if before is not None and (before != _state(stream) or before[0] != size):
        raise WarehouseError(f"{name} changed while it was read: it is still being written; fetch it when it is done")
    return digest.hexdigest(), size


def _written(file: BinaryIO, chunk: bytes, *, is_synced: bool) -> None:
    file.write(chunk)
    if is_synced:
        file.flush()
        os.fsync(file.fileno())


def _state(stream: BinaryIO) -> tuple[int, int] | None:
    """Size and time of what a stream reads from, where it is a file."""
    try:
        status = os.fstat(stream.fileno())
    except (AttributeError, OSError):
        return None
    return status.st_size, status.st_mtime_ns


def _synced(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_new(store: Store, survey: str, file_id: str) -> bool:
    known = store.rows(
        "select 1 from raw.files where survey = $survey and file_id = $file_id limit 1",
        {"survey": survey, "file_id": file_id},
    )
    return not known


def _recorded(store: Store, landed: LandedFile, run_id: str) -> None:
    """A row in `raw.files`; a version that comes back after another one is the newest again."""
    key = {"survey": landed.survey, "source": landed.source, "name": landed.name}
    newest = store.rows(
        "select file_id from raw.files where survey = $survey and source = $source and name = $name"
        " order by fetched_at desc, file_id limit 1",
        key,
    )
    if newest == [(landed.file_id,)]:
        return
    store.run(
        "insert into raw.files by name select $survey as survey, $file_id as file_id, $source as source, $name as name,"
        " $format as format, $bytes as bytes, $at as fetched_at, $run_id as run_id"
        " on conflict do update set fetched_at = excluded.fetched_at, run_id = excluded.run_id",
        {
            **key,
            "file_id": landed.file_id,
            "format": landed.format,
            "bytes": landed.bytes,
            "at": landed.fetched_at,
            "run_id": run_id,
        },
    )


def _fits(name: str, table: Table, expected: Collection[str]) -> None:
    found = {folded(column) for column in table.columns}
    missing = [column for column in expected if folded(column) not in found]
    if missing:
        raise WarehouseError(
            f"{name} lacks {_listed(missing)}, which the survey maps; its columns are {_listed(table.columns)}; "
            f"{table.sheets and f'{table.sheets}; '}mend the roles in zwerm.toml, or see whether this is the right file"
        )
    twice = sorted(folded(column) for column in expected if folded(column) in {folded(d) for d in table.duplicates})
    if twice:
        raise WarehouseError(f"{name} has several columns named {_listed(twice)}; rename them, or map another column")


def _listed(names: Collection[str], most: int = 30) -> str:
    shown = [f"'{column if len(column) <= 60 else column[:59] + '…'}'" for column in list(names)[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _changes(store: Store, landed: LandedFile, columns: tuple[str, ...]) -> list[str]:
    """What was added and removed against the version before, else against the newest other file of the source."""
    before = store.rows(
        "select name, columns from raw.files where survey = $survey and source = $source and file_id <> $file_id"
        " and columns is not null order by name = $name desc, fetched_at desc limit 1",
        {"survey": landed.survey, "source": landed.source, "name": landed.name, "file_id": landed.file_id},
    )
    if not before or set(before[0][1]) == set(columns):
        return []
    added = [column for column in columns if column not in before[0][1]]
    removed = [column for column in before[0][1] if column not in columns]
    told = [f"{what} {_listed(names)}" for what, names in (("added", added), ("removed", removed)) if names]
    return [f"{landed.name}: its columns changed since {before[0][0]}: {'; '.join(told)}"]
