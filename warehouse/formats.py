"""One function per format: from a file to rows of text with the columns that the file names."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from warehouse import WarehouseError
from warehouse.encodings import as_utf8
from warehouse.store import Store, literal, quoted

MAX_RECORD_BYTES = 1 << 24
NO_REJECTS = "select null::bigint as line_number, null::varchar as reason, null::varchar as original where false"


@dataclass(frozen=True)
class Separated:
    """A text whose lines are records, unless quotation marks say otherwise: where lines can get lost."""

    path: Path
    again: str  # the from-clause that stores no rejects
    columns: tuple[str, ...]
    delimiter: str
    skip: int  # lines before the header
    is_spaced: bool  # a blank stands behind each delimiter


@dataclass(frozen=True)
class Table:
    """A from-clause of text columns in the file's order, and what the parser had to say."""

    sql: str
    again: str
    columns: tuple[str, ...]
    rejects: str = NO_REJECTS
    remarks: tuple[str, ...] = ()
    duplicates: frozenset[str] = field(default=frozenset())  # names that stand there more than once
    sheets: str = ""  # of a workbook: which was read, and which to choose else
    text: Separated | None = None  # what was parsed, where lines can get lost


def folded(name: str) -> str:
    """Names as SQL compares them: without regard to case."""
    return name.casefold()


def distinct(names: Iterable[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Column names that SQL can tell apart, blank ones by position, later doubles numbered; and which."""
    taken: set[str] = set()
    double: set[str] = set()
    columns = []
    for position, name in enumerate(names, start=1):
        plain = name.replace("\0", "").strip() or f"column_{position}"
        column, number = plain, 1
        while folded(column) in taken:
            double.add(plain)
            number += 1
            column = f"{plain}_{number}"
        taken.add(folded(column))
        columns.append(column)
    return tuple(columns), frozenset(double)


def token() -> str:
    """A name for a temporary object, used once."""
    return secrets.token_hex(6)


def parquet(store: Store, name: str, path: Path) -> Table:
    """Parquet with every column as text; its types are not asked, as roles convert by themselves."""
    scan = f"read_parquet({literal(str(path))})"
    try:
        found = [row[0] for row in store.rows(f"select column_name from (describe select * from {scan})")]
    except WarehouseError:
        raise WarehouseError(f"{name} is cut off or damaged Parquet; fetch it again") from None
    columns, double = distinct(found)
    texts = ", ".join(f"{quoted(raw)}::varchar as {quoted(column)}" for raw, column in zip(found, columns, strict=True))
    sql = f"(select {texts} from {scan})"
    _holds_records(store, name, sql)
    return Table(sql, sql, columns, duplicates=double)


def excel(store: Store, name: str, path: Path, sheet: str | None) -> Table:
    """One sheet of a workbook: its first row that is not blank names the columns; blank rows are no records."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        if sheet is not None and sheet not in workbook.sheet_names:
            raise WarehouseError(f"{name} has no sheet '{sheet}'; it has {', '.join(workbook.sheet_names)}")
        chosen = sheet or workbook.sheet_names[0]
        cells = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=True)
    except (CalamineError, OSError, IndexError) as error:
        raise WarehouseError(
            f"{name} cannot be read as Excel ({type(error).__name__}): cut off, or another kind of zip"
        ) from None
    rows = [row for row in ([_cell(cell) for cell in row] for row in cells) if any(row)]
    if len(rows) < 2:
        raise WarehouseError(f"{name} holds no records: {_sheets(chosen, workbook.sheet_names)}")
    columns, double = distinct(text or "" for text in rows[0])
    arrays = [pa.array(values, pa.string()) for values in zip(*rows[1:], strict=True)]
    view = f"excel_{token()}"
    store.connection.register(view, pa.table(arrays, names=list(columns)))
    others = [other for other in workbook.sheet_names if other != chosen]
    remarks = () if sheet or not others else (f"{name}: read the first sheet, '{chosen}'; not {', '.join(others)}",)
    told = _sheets(chosen, workbook.sheet_names)
    return Table(quoted(view), quoted(view), columns, remarks=remarks, duplicates=double, sheets=told)


def _sheets(chosen: str, names: Sequence[str], most: int = 10) -> str:
    """Which sheet was read, and how to have another one."""
    others = [name for name in names if name != chosen]
    if not others:
        return f"its only sheet, '{chosen}', was read"
    listed = ", ".join(f"'{name}'" for name in others[:most]) + (", …" if len(others) > most else "")
    return (
        f"sheet '{chosen}' was read, and there are others: {listed}; choose with sheet = \"{others[0]}\" in the source"
    )


def _cell(value: object) -> str | None:
    """A cell as a person would type it: whole numbers without '.0', dates as ISO writes them."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def json_lines(store: Store, name: str, path: Path, encoding: str | None) -> Table:
    """One JSON object per line; its keys are the columns, nested values stay JSON text; other lines are rejected.

    Blank lines are not counted, neither as records nor in the line numbers of what is rejected.
    """
    path, remarks = as_utf8(path, name, store.scratch, encoding)
    options = f"delim='\x01', quote='', escape='', header=false, auto_detect=false, max_line_size={MAX_RECORD_BYTES}"
    kept = f"rejects_{token()}"  # what is no text line at all: too long, or with control characters
    storing = f"store_rejects=true, rejects_limit=0, rejects_table='{kept}', rejects_scan='{kept}_scans'"
    lines = f"read_csv({literal(str(path))}, {options}, columns={{'line': 'VARCHAR'}}, {storing})"
    lines = f"(select line from {lines} where trim(line) <> '')"
    is_object = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
    found = store.rows(
        "select key from (select unnest(json_keys(line)) as key,"
        " generate_subscripts(json_keys(line), 1) as position, number from"
        f" (select line, row_number() over () as number from {lines}) where {is_object})"
        " group by key order by min((number, position))"
    )
    if not found:
        raise WarehouseError(f"{name}: not one line is a JSON object; export it as JSON Lines, one object per line")
    columns, double = distinct(row[0] for row in found)
    pointers = [literal("/" + row[0].replace("~", "~0").replace("/", "~1")) for row in found]
    texts = ", ".join(f"answers[{n}] as {quoted(column)}" for n, column in enumerate(columns, start=1))
    sql = (
        f"(select {texts} from (select json_extract_string(line, [{', '.join(pointers)}]) as answers"
        f" from {lines} where {is_object}))"
    )
    rejects = (
        "select line_number, 'not a JSON object' as reason, line as original from"
        f" (select line, row_number() over () as line_number from {lines}) where not ({is_object})"
        f" union all select line, reason, original from (select line::bigint as line, min(lower(error_type::varchar))"
        f" as reason, min(csv_line) as original from {kept} group by line, line_byte_position)"
    )
    return Table(sql, sql, columns, rejects, tuple(remarks), double)


def _holds_records(store: Store, name: str, sql: str) -> None:
    if not store.rows(f"select 1 from {sql} limit 1"):
        raise WarehouseError(f"{name} names its columns and holds no records; see whether the export finished")


def records_follow(store: Store, name: str, sql: str) -> None:
    """An error where a relation has no row at all."""
    _holds_records(store, name, sql)


def texts_of(columns: Sequence[str]) -> str:
    """The `columns=` option of DuckDB's CSV reader: all text."""
    return "{" + ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns) + "}"
