"""The only door to DuckDB: opens the working warehouse, brings its schema up to date, runs SQL."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from warehouse import WarehouseError

Parameters = Mapping[str, object] | None

_SPEAKS_OF_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


def quoted(name: str) -> str:
    """An identifier that may stand in SQL, whatever characters it has; of `schema.table` each part by itself."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text that may stand in SQL where a parameter cannot, such as in a table function's options."""
    return "'" + text.replace("'", "''") + "'"


def scrubbed(error: duckdb.Error) -> str:
    """What DuckDB says, without the data that its texts may quote: whole only where it speaks of the SQL itself."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Exception")).lower()
    if isinstance(error, _SPEAKS_OF_SQL):
        return f"{kind} error: {str(error).strip().splitlines()[0].split('Error: ', 1)[-1]}"
    return f"{kind} error"


@dataclass(frozen=True)
class Store:
    """An open warehouse. Every statement goes through it, and its errors never quote a respondent's data."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    scratch: Path

    @classmethod
    @contextmanager
    def open(
        cls, path: Path, *, scratch: Path, threads: int | None = None, read_only: bool = False
    ) -> "Iterator[Store]":
        """Open the warehouse, made and migrated where needed; `is_busy` on the error when another process has it."""
        connection = _connected(path, scratch, threads, read_only)
        try:
            store = cls(connection, path, scratch)
            if not read_only:
                path.chmod(0o600)
                _migrate(store)
            yield store
        finally:
            connection.close()

    def run(self, sql: str, parameters: Parameters = None) -> None:
        """Execute one statement."""
        try:
            self.connection.execute(sql, parameters or None)
        except duckdb.Error as error:
            raise _unmet(error, self.path) from None

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        try:
            return self.connection.execute(sql, parameters or None).fetchall()
        except duckdb.Error as error:
            raise _unmet(error, self.path) from None

    def says_against(self, sql: str) -> str | None:
        """What is wrong with a select over no data, as DuckDB has it; None where it is one and can be read."""
        try:
            if len(self.connection.extract_statements(sql)) > 1:
                return "this is more than one expression"
            self.connection.execute(sql)
        except duckdb.Error as error:
            return str(error).strip().splitlines()[0].split("Error: ", 1)[-1]
        return None

    def frame(self, sql: str, parameters: Parameters = None) -> pd.DataFrame:
        """A result as a frame, by way of Arrow; NULL in integers makes them float."""
        try:
            frame: pd.DataFrame = self.connection.sql(sql, params=parameters or None).to_arrow_table().to_pandas()
        except duckdb.Error as error:
            raise _unmet(error, self.path) from None
        return frame

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's statements, or none: rolled back on any exception, kept whole by a kill."""
        self.run("begin transaction")
        try:
            yield
            self.run("commit")
        except BaseException:
            with suppress(duckdb.TransactionException):  # a failed commit has ended it already
                self.connection.execute("rollback")
            raise

    def register(self, name: str, frame: pd.DataFrame) -> None:
        """A temporary table of this name with the frame's rows; columns without any value are text."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema]
        view = f"{name} as it came"
        self.connection.register(view, table.cast(pa.schema(fields)))
        try:
            self.run(f"create or replace temporary table {quoted(name)} as select * from {quoted(view)}")
        finally:
            self.connection.unregister(view)

    def replace(
        self, table: str, content: str | pd.DataFrame, *, where: Mapping[str, object], parameters: Parameters = None
    ) -> None:
        """Put a select's rows, or a frame's, in the place of those that `where` names, in one transaction."""
        if isinstance(content, pd.DataFrame):
            self.register("replacement", content)
            content = "from replacement"
        keys = " and ".join(f"{quoted(column)} is not distinct from ${column}" for column in where)
        with self.transaction():
            self.run(f"delete from {table} where {keys}", where)
            self.run(f"insert into {table} by name {content}", parameters)


def _connected(path: Path, scratch: Path, threads: int | None, read_only: bool) -> duckdb.DuckDBPyConnection:
    if read_only and not path.exists():
        raise WarehouseError(f"there is no warehouse at {path} yet; `zwerm run` makes it")
    scratch.mkdir(parents=True, exist_ok=True)
    scratch.chmod(0o700)
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,  # a survey's SQL must not see Python's variables
    }
    if threads is not None:
        config["threads"] = threads
    earlier = os.umask(0o077)  # DuckDB itself makes files that everyone can read
    try:
        if not path.exists():
            _make(path, scratch)
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        # Long lists after IN would become joins, and a join does not keep the order that record numbers rest on.
        # Equal expressions are not merged either: one that stands in two try(…) would be taken out of both, and fail.
        connection.execute("set disabled_optimizers = 'in_clause,common_subexpressions'")
    except duckdb.Error as error:
        raise _unmet(error, path) from None
    finally:
        os.umask(earlier)
    return connection


def _make(path: Path, scratch: Path) -> None:
    """An empty warehouse, there at once: of one that DuckDB begins itself a killed process leaves half a file."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        draft = Path(folder, path.name)
        duckdb.connect(str(draft)).close()
        with suppress(OSError):  # another process made it meanwhile; or there are no links here, and DuckDB makes it
            path.hardlink_to(draft)


def _unmet(error: duckdb.Error, path: Path) -> WarehouseError:
    holder = re.search(r"Conflicting lock is held.*?\(PID (\d+)\)", str(error), flags=re.DOTALL)
    if holder or "Could not set lock" in str(error):
        pid = int(holder.group(1)) if holder else None
        busy = WarehouseError(
            f"{path} is open in {f'process {pid}' if pid else 'another process'}; wait until that is done, or end it"
        )
        busy.is_busy, busy.holder = True, pid
        return busy
    return WarehouseError(f"{path}: {scrubbed(error)}")


def _migrations() -> list[tuple[int, str, str]]:
    folder = resources.files("warehouse") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in names]


def _migrate(store: Store) -> None:
    """Apply the numbered files of `warehouse/schema` that this warehouse does not have yet."""
    store.run(
        "create table if not exists main.migrations"
        " (number integer primary key, name varchar not null, sha256 varchar not null, applied_at timestamp not null)"
    )
    applied = {
        number: (name, sha256) for number, name, sha256 in store.rows("select number, name, sha256 from migrations")
    }
    known = _migrations()
    for number in applied.keys() - {number for number, _, _ in known}:
        raise WarehouseError(f"{store.path} was made by a newer Zwerm (it has {applied[number][0]}); upgrade this one")
    for number, name, sql in known:
        if number in applied and applied[number][1] != _sha256(sql):
            raise WarehouseError(
                f"warehouse/schema/{name} was altered after {store.path} applied it; "
                "restore the file, and put what is new into a migration with the next number"
            )
    with store.transaction():  # all of them or none
        for number, name, sql in known:
            if number not in applied:
                store.run(sql)
                store.run(
                    "insert into migrations values ($number, $name, $sha256, now()::timestamp)",
                    {"number": number, "name": name, "sha256": _sha256(sql)},
                )


def _sha256(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
