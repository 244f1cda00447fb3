"""Readers under another account of this host, in processes of their own: what they see and what they are refused."""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

CONTEXT = get_context("spawn")
STRANGER = 65534  # nobody: owns nothing, and is in no group of ours
WITH_IDS = (
    "select table_name from information_schema.columns where table_schema = 'mart' and column_name = 'release_id'"
)


@dataclass(frozen=True)
class Seen:
    """One look: when it began and ended (nanoseconds since 1970), and the releases in each place that it looked at."""

    began: int
    ended: int
    releases: dict[str, list[str]] = field(default_factory=dict)
    error: str = ""


Look = Callable[[Path], dict[str, list[str]]]


def warehouse(published: Path) -> dict[str, list[str]]:
    """The releases in every table that names one, in one connection, which is opened anew as a BI tool does."""
    with duckdb.connect(str(published / "warehouse.duckdb"), read_only=True) as connection:
        tables = [name for (name,) in connection.execute(WITH_IDS).fetchall()]
        return {name: _ids(connection, name) for name in tables}


def files(published: Path) -> dict[str, list[str]]:
    """The releases in each Parquet file, and the pages of the site with what they say."""
    found = {
        path.name: sorted(set(pq.read_table(path, columns=["release_id"])["release_id"].to_pylist()))
        for path in sorted((published / "parquet").glob("*.parquet"))
        if "release_id" in pq.read_schema(path).names
    }
    pages = sorted((published / "site").glob("passengers/*/r*/en/index.html"))
    return {**found, "site": [page.read_text(encoding="utf-8") for page in pages]}


class Reader:
    """A process under another account that looks again and again until it is told to stop."""

    def __init__(self, published: Path, look: Look, *, stays_open: bool = False) -> None:
        self.count = CONTEXT.Value("i", 0)
        self._ours, theirs = CONTEXT.Pipe()
        target = _stay if stays_open else _look_again
        self._process = CONTEXT.Process(target=target, args=(published, look, theirs, self.count))
        self._process.start()
        theirs.close()

    def wait_for(self, more: int) -> None:
        """Return when it has looked so many times more."""
        until, give_up = self.count.value + more, time.monotonic() + 60
        while self.count.value < until:
            assert self._process.is_alive() and time.monotonic() < give_up, "the reader does not look any more"
            time.sleep(0.01)

    def stop(self) -> list[Seen]:
        """Everything that it saw."""
        self._ours.send("stop")
        seen: list[Seen] = self._ours.recv()
        self._process.join(60)
        return seen


class Stranger:
    """A process under another account that tries what it is asked to."""

    def __init__(self) -> None:
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_attempt, args=(theirs,))
        self._process.start()
        theirs.close()

    def tries(self, paths: list[str]) -> dict[str, str]:
        """What comes of it when he lists, opens and reads the link of each path: what he got, or the error."""
        self._ours.send(paths)
        came: dict[str, str] = self._ours.recv()
        return came

    def stop(self) -> None:
        """End the process."""
        self._ours.send(None)
        self._process.join(60)


def _become_a_stranger() -> None:
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)
    with suppress(PermissionError):
        os.setuid(0)
        raise AssertionError("it is root again")


def _look_again(published: Path, look: Look, parent: Connection, count: Any) -> None:
    _become_a_stranger()
    seen: list[Seen] = []
    while not parent.poll():
        seen.append(_seen(lambda: look(published)))
        count.value += 1
        time.sleep(0.01)  # the release has the processor too
    parent.send(seen)


def _stay(published: Path, look: Look, parent: Connection, count: Any) -> None:
    """One connection for all the time, asked again and again."""
    _become_a_stranger()
    seen: list[Seen] = []
    with duckdb.connect(str(published / "warehouse.duckdb"), read_only=True) as connection:
        while not parent.poll():
            seen.append(_seen(lambda: {"promoter_metrics": _ids(connection, "promoter_metrics")}))
            count.value += 1
            time.sleep(0.02)
    parent.send(seen)


def _seen(look: Callable[[], dict[str, list[str]]]) -> Seen:
    began = time.time_ns()
    try:
        releases, error = look(), ""
    except Exception as fault:
        releases, error = {}, f"{type(fault).__name__}: {fault}"
    return Seen(began, time.time_ns(), releases, error)


def _ids(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(f"select distinct release_id from mart.{table} order by 1").fetchall()
    return [name for (name,) in rows]


def _attempt(parent: Connection) -> None:
    _become_a_stranger()
    ways: dict[str, Callable[[str], object]] = {"list": os.listdir, "open": _first_byte, "readlink": os.readlink}
    while paths := parent.recv():
        parent.send({f"{way} {path}": _came_of(do, path) for path in paths for way, do in ways.items()})


def _first_byte(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1)
    finally:
        os.close(descriptor)


def _came_of(do: Callable[[str], object], path: str) -> str:
    try:
        return f"got {do(path)!r}"
    except OSError as error:
        return errno.errorcode[error.errno or 0]
