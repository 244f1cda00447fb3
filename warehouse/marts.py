"""The warehouse that BI tools read: one DuckDB file and its Parquet, made from sealed releases and checked."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from warehouse import WarehouseError
from warehouse.records import DeliveryState, Release
from warehouse.store import literal, quoted, scrubbed

STORAGE = "v1.4.0"  # DuckDB 1.4 and newer read it
NEWER = (  # earlier releases were sealed without them
    *("comparisons", "changes", "trends", "regrouped", "drivers", "themes", "quotes"),
    *("segments", "rolling"),
)
SEALED = ("promoter_metrics", "departments", "highlights", "quality", *NEWER)
TABLES = ("promoter_metrics", "releases", "departments", "highlights", "quality", *NEWER, "deliveries")
ALWAYS = ("promoter_metrics", "departments", "deliveries")  # every release has rows in these

TIME = pa.timestamp("us")  # UTC
EDITIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", "survey", "wave")),
        ("revision", pa.int32()),
        ("reason", pa.string()),
        ("released_at", TIME),
        ("planned_at", TIME),
        ("skew_ms", pa.float64()),
        ("departments", pa.int32()),
        ("nps_interval", pa.string()),
        ("definition", pa.string()),
        ("told_min", pa.int32()),
        ("min_respondents", pa.int32()),
        ("invited", pa.int64()),
        ("response_rate", pa.float64()),
        ("content_sha256", pa.string()),
        ("is_latest", pa.bool_()),
        ("folder", pa.string()),
        ("position", pa.int32()),
    ]
)
REGISTER = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", "recipient", "channel", "language", "status")),
        ("opened_at", TIME),
        ("answered_at", TIME),
        ("attempts", pa.int32()),
        ("is_breach", pa.bool_()),
        ("position", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Edition:
    """A release in a publication: what the ledger says of it, its sealed folder, and its place below `site/`."""

    release: Release
    sealed: Path
    place: str
    is_latest: bool


def build(folder: Path, editions: Sequence[Edition], deliveries: Sequence[DeliveryState]) -> None:
    """Write `warehouse.duckdb` and `parquet/` into a private folder, the files 0600 themselves."""
    (folder / "parquet").mkdir(mode=0o700)
    empty, made = _empty(), folder / "warehouse.duckdb"
    with _memory(folder) as connection:
        made.write_bytes(empty)
        connection.execute(f"attach {literal(str(made))} as made")
        connection.register("editions", _editions(editions))
        connection.register("register", _register(deliveries))
        there = {name for name in SEALED if _view_sealed(connection, name, editions)}
        connection.execute("use made")
        connection.execute("begin")
        for statement, read in _fillings():
            if there and read <= there:
                connection.execute(statement)
        connection.execute("commit")
        for name in TABLES:
            target = literal(str(folder / "parquet" / f"{name}.parquet"))
            connection.execute(f"copy mart.{name} to {target} (format parquet, compression zstd)")
        connection.execute("use memory")
        connection.execute("detach made")


def check(warehouse: Path, release_ids: set[str]) -> None:
    """Every table speaks of the same releases, a wave has one latest revision, what is suppressed shows nothing."""
    with _memory(warehouse.resolve().parent, is_private=False) as connection:
        connection.execute(f"attach {literal(str(warehouse.resolve()))} as made (read_only)")
        connection.execute("use made")
        for name in TABLES:
            found = {row[0] for row in connection.execute(f"select distinct release_id from mart.{name}").fetchall()}
            if found != release_ids and (name in ALWAYS or name == "releases" or not found <= release_ids):
                missing, strange = sorted(release_ids - found), sorted(found - release_ids)
                raise WarehouseError(f"mart.{name} is not of these releases: {missing} missing, {strange} too many")
        for name in ("promoter_metrics", "segments", "rolling", "regrouped"):
            _count_nothing(connection, name, "is shown although suppressed", _shown(name))
        _count_nothing(connection, "promoter_metrics", "has more than one latest revision, or none", _LATEST)
        connection.execute("use memory")


_LATEST = (
    "select count(*) from (select survey, wave, count(distinct release_id) filter (is_latest) as n "
    "from mart.promoter_metrics group by all having n <> 1)"
)


@cache
def _empty() -> bytes:
    """The file before any release, made once in a process: its comments take longer than all that is filled in."""
    with TemporaryDirectory() as name, _memory(Path(name)) as connection:
        made = Path(name) / "warehouse.duckdb"
        connection.execute(f"attach {literal(str(made))} as made (storage_version '{STORAGE}')")
        connection.execute("use made")
        connection.execute("begin")  # one commit, not one per comment
        for statement in duckdb.extract_statements(_script()):
            if statement.type != duckdb.StatementType.INSERT:
                connection.execute(statement.query)
        for what, says in comments().items():
            kind = "column" if "." in what else "table"
            connection.execute(f"comment on {kind} mart.{'.'.join(map(quoted, what.split('.')))} is {literal(says)}")
        connection.execute("commit")
        connection.execute("use memory")
        connection.execute("detach made")
        return made.read_bytes()


@cache
def _fillings() -> list[tuple[str, set[str]]]:
    """The statements that fill the tables, and the sealed tables that each reads."""
    inserts = [one for one in duckdb.extract_statements(_script()) if one.type == duckdb.StatementType.INSERT]
    return [(one.query, set(re.findall(r"\bfrom sealed_(\w+)", one.query))) for one in inserts]


@cache
def comments() -> dict[str, str]:
    """The comment of every table and column of the marts, by `table` and `table.column`."""
    said = {}
    for says, table, body in re.findall(r"^-- ([^\n]+)\ncreate table mart\.(\w+) \((.*?)^\);", _script(), re.M | re.S):
        said[table] = says
        for column, what in re.findall(r'^    "?(\w+)"? [^\n]*?-- ([^\n]+)$', body, re.M):
            said[f"{table}.{column}"] = what
    return said


def _view_sealed(connection: duckdb.DuckDBPyConnection, name: str, editions: Sequence[Edition]) -> bool:
    """One view over a table of all releases; a release that was sealed without it, or a column, has no rows or NULL."""
    files = [edition.sealed / "tables" / f"{name}.parquet" for edition in editions]
    paths = [_as_pattern(file) for file in files if name not in NEWER or file.exists()]
    if paths:
        connection.execute(
            f"create temporary view sealed_{name} as select * from read_parquet([{', '.join(map(literal, paths))}], "
            "filename = true, file_row_number = true, union_by_name = true)"
        )
    return bool(paths)


def _shown(table: str) -> str:
    """Counts the rows that are suppressed and yet carry a figure."""
    columns = [name.split(".")[1] for name in comments() if name.startswith(f"{table}.")]
    figures = columns[columns.index("status") + 1 :]
    shown = " or ".join(f"{quoted(name)} is not null" for name in figures)
    return f"select count(*) from mart.{table} where status <> 'published' and ({shown})"


def _count_nothing(connection: duckdb.DuckDBPyConnection, table: str, what: str, sql: str) -> None:
    row = connection.execute(sql).fetchone()
    if row is None or row[0] != 0:
        raise WarehouseError(f"in mart.{table} {row and row[0]} rows or waves: {what}")


def _script() -> str:
    return (files("warehouse") / "marts.sql").read_text(encoding="utf-8")


@contextmanager
def _memory(folder: Path, *, is_private: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, which spills nowhere but into a private folder, and makes private files."""
    earlier = os.umask(0o077)
    spill = str(folder / "spill") if is_private else ""
    try:
        with duckdb.connect(config={"temp_directory": spill, "autoinstall_known_extensions": False}) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise WarehouseError(f"{folder / 'warehouse.duckdb'}: {scrubbed(error)}") from None
    finally:
        os.umask(earlier)
    if is_private and (folder / "spill").exists():
        (folder / "spill").rmdir()


def _editions(editions: Sequence[Edition]) -> pa.Table:
    rows = []
    for position, edition in enumerate(editions):
        release = edition.release
        known = {name: getattr(release, name) for name in EDITIONS.names if hasattr(release, name)}
        times = {name: _naive(known[name]) for name in ("released_at", "planned_at")}
        known |= _made_with(edition.sealed)
        place = {"is_latest": edition.is_latest, "folder": str(edition.sealed), "position": position}
        rows.append({**known, **times, **place})
    return pa.Table.from_pylist(rows, schema=EDITIONS)


def _made_with(sealed: Path) -> dict[str, object]:
    """What the manifest tells of how a release was made; of the NPS's interval there was one method before it told."""
    manifest = json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))
    names = ("definition", "told_min", "min_respondents", "invited", "response_rate")
    told = {name: manifest.get(name) for name in names}
    return {"nps_interval": manifest.get("interval", "adjusted_wald"), **told}


def _register(deliveries: Sequence[DeliveryState]) -> pa.Table:
    rows = []
    for position, delivery in enumerate(deliveries):
        known = {name: getattr(delivery, name) for name in REGISTER.names if hasattr(delivery, name)}
        times = {name: _naive(known[name]) for name in ("opened_at", "answered_at")}
        rows.append({**known, **times, "position": position})
    return pa.Table.from_pylist(rows, schema=REGISTER)


def _naive(time: object) -> object:
    return time.replace(tzinfo=None) if hasattr(time, "replace") else None


def _as_pattern(path: Path) -> str:
    """A path whose own characters are not taken for wildcards."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))
