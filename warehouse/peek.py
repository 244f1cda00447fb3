"""A look at a file that is not landed: its column names and a few rows, from its beginning wherever that tells them."""

import shutil
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from warehouse import WarehouseError, delimited, formats
from warehouse.encodings import GZIP, format_of
from warehouse.store import Store

HEAD_BYTES = 1 << 18
ROWS = 200


@dataclass(frozen=True)
class Look:
    """What a file shows at first sight."""

    format: str  # csv | jsonl | parquet | excel
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]  # the first ones, as text
    sheets: str = ""  # of a workbook: which was read, and which to choose else


def look(
    path: Path,
    *,
    expected: Collection[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Look:
    """Columns and first rows; nothing is kept. WarehouseError where the file cannot be read or lacks `expected`."""
    name = path.name
    try:
        if path.stat().st_size == 0:
            raise WarehouseError(f"{name} is empty; see whether the export finished")
        kind = format_of(path, name)
        with TemporaryDirectory(prefix="zwerm-") as folder, _store(Path(folder)) as store:
            if kind == "parquet":
                table = formats.parquet(store, name, _whole(path, Path(folder)))
            elif kind == "excel":
                table = formats.excel(store, name, _whole(path, Path(folder)), sheet)
            elif kind == "jsonl":
                table = formats.json_lines(store, name, _head(path, Path(folder)), encoding)
            else:
                table = delimited.table(store, name, _head(path, Path(folder)), expected, delimiter, encoding)
            rows = store.rows(f"select * from {table.again} limit {ROWS}")
    except (zlib.error, EOFError):
        raise WarehouseError(f"{name} is gzip, and cut off or damaged; fetch it again") from None
    except OSError as error:
        raise WarehouseError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    return Look(kind, table.columns, tuple(rows), table.sheets)


@contextmanager
def empty_store() -> Iterator[Store]:
    """A warehouse without anything in it, for as long as SQL is tried."""
    with TemporaryDirectory(prefix="zwerm-") as folder, _store(Path(folder)) as store:
        yield store


@contextmanager
def _store(folder: Path) -> Iterator[Store]:
    """A warehouse for the moment, in a folder that only this account can enter and that is gone afterwards."""
    with Store.open(folder / "look.duckdb", scratch=folder, threads=1) as store:
        yield store


def _head(path: Path, folder: Path) -> Path:
    """The beginning of a text, up to a whole line; a short file is all there."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    is_whole = len(head) < HEAD_BYTES
    if head.startswith(GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        head = unpacker.decompress(head, 4 * HEAD_BYTES)
        if is_whole and not unpacker.eof and not unpacker.unconsumed_tail:
            raise EOFError
        is_whole = unpacker.eof
    if not is_whole and b"\n" in head and b"\0" not in head:
        head = head[: head.rindex(b"\n") + 1]
    copy = folder / "head"
    copy.write_bytes(head)
    return copy


def _whole(path: Path, folder: Path) -> Path:
    """The file itself, unpacked where it is gzip: these formats keep their names elsewhere than at the beginning."""
    with path.open("rb") as file:
        if file.read(2) != GZIP:
            return path
    import gzip

    copy = folder / "whole"
    with gzip.open(path, "rb") as packed, copy.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return copy
