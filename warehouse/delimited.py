"""CSV and TSV: the dialect is sniffed once, compared with what the survey maps, and then stated."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from warehouse import WarehouseError
from warehouse.encodings import as_utf8
from warehouse.formats import MAX_RECORD_BYTES, Separated, Table, distinct, folded, records_follow, texts_of, token
from warehouse.store import Store, literal, quoted

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Dialect:
    """How a file separates its values, and the names that its first record then gives."""

    delimiter: str
    quote: str
    escape: str
    skip: int
    has_header: bool
    names: tuple[str, ...]

    def lacks(self, expected: Collection[str]) -> list[str]:
        """The mapped columns that this reading does not find."""
        found = {folded(name.strip()) for name in self.names}
        return [column for column in expected if folded(column) not in found]


def table(
    store: Store, name: str, path: Path, expected: Collection[str], delimiter: str | None, encoding: str | None
) -> Table:
    """The file as rows of text; what the parser rejects is stored, with the line, and is never dropped silently."""
    if delimiter is not None and len(delimiter) != 1:
        raise WarehouseError(f"{name}: delimiter = {delimiter!r} is not one character")
    path, remarks = as_utf8(path, name, store.scratch, encoding)
    dialect = _dialect(store, name, path, expected, delimiter)
    columns, double = distinct(dialect.names)
    if double:
        remarks.append(
            f"{name}: column names that stand there more than once were numbered: {', '.join(sorted(double))}"
        )
    scan = _scan(path, dialect, columns)
    errors = f"rejects_{token()}"
    sql, again = (  # not ignore_errors: with it other records are dropped than with store_rejects
        f"{scan}, store_rejects=true, rejects_limit=0, rejects_table='{kept}', rejects_scan='{kept}_scans')"
        for kept in (errors, f"{errors}_again")
    )
    records_follow(store, name, again)
    is_spaced = any(name.startswith(" ") for name in dialect.names[1:])
    text = Separated(path, again, columns, dialect.delimiter, dialect.skip, is_spaced)
    return Table(sql, again, columns, _rejects(errors), tuple(remarks), double, text=text)


def _scan(path: Path, dialect: Dialect, columns: tuple[str, ...]) -> str:
    stated = f"delim={literal(dialect.delimiter)}, quote={literal(dialect.quote)}, escape={literal(dialect.escape)}"
    return (
        f"read_csv({literal(str(path))}, {stated}, header=true, skip={dialect.skip}, auto_detect=false,"
        f" columns={texts_of(columns)}, max_line_size={MAX_RECORD_BYTES}, buffer_size={2 * MAX_RECORD_BYTES}"
    )


SWALLOWING = ("unquoted value", "line size over maximum")  # what the parser then says, once for all the lines


def _rejects(errors: str) -> str:
    """A quotation mark that is never closed swallows lines: each of them is a record of its own here."""
    return (
        "select line + position - 1 as line_number, reason, piece as original from (select line, reason,"
        " unnest(pieces) as piece, unnest(range(1, len(pieces) + 1)) as position from (select"
        " min(line)::bigint as line, string_agg(distinct lower(error_type::varchar), ', ') as reason,"
        " case when bool_or(error_type::varchar = 'UNQUOTED VALUE')"
        " then string_split(rtrim(min(csv_line), chr(10) || chr(13)), chr(10))"
        " else [min(csv_line)] end as pieces"
        f" from {errors} group by line_byte_position)) where trim(piece) <> '' order by line_number"
    )


def lines_lost(store: Store, text: Separated, rejected: int) -> int:
    """How many lines are in no record and in no reject: what an unclosed quotation mark swallows in a large file."""
    cells = map(quoted, text.columns)
    newlines = " + ".join(f"coalesce(length({c}) - length(replace({c}, chr(10), '')), 0)" for c in cells)
    in_records = store.rows(f"select count(*) + coalesce(sum({newlines}), 0) from {text.again}")[0][0]
    in_header = 1 + sum(column.count("\n") for column in text.columns)
    with text.path.open("rb") as file:
        in_file = sum(1 for line in file if line.strip())
    return max(0, in_file - int(in_records) - in_header - rejected)


def _dialect(store: Store, name: str, path: Path, expected: Collection[str], delimiter: str | None) -> Dialect:
    """The first reading that finds every mapped column: what DuckDB sniffs, else the usual delimiters one by one."""
    tried = []
    sniffed = _sniffed(store, path, delimiter)
    usual = [delimiter] if delimiter else _DELIMITERS
    for delim, quote, escape, skip, has_header in [*sniffed, *((d, '"', '"', 0, True) for d in usual)]:
        dialect = Dialect(delim, quote, escape, skip, has_header, _names(path, delim, quote, escape, skip))
        if dialect.names and not dialect.lacks(expected):
            return dialect
        tried.append(dialect)
    best = min(tried, key=lambda dialect: (len(dialect.lacks(expected)), -len(dialect.names)))
    raise WarehouseError(f"{name}: {_unfit(best, expected, delimiter)}")


def _sniffed(store: Store, path: Path, delimiter: str | None) -> list[tuple[str, str, str, int, bool]]:
    stated = f", delim={literal(delimiter)}" if delimiter else ""
    # Of what type the values are is not asked; left to itself, DuckDB would read 16 of the longest records.
    options = f"all_varchar=true, max_line_size={MAX_RECORD_BYTES}, buffer_size={2 * MAX_RECORD_BYTES}{stated}"
    try:
        row = store.rows(
            f"select Delimiter, Quote, Escape, SkipRows, HasHeader from sniff_csv({literal(str(path))}, {options})"
        )[0]
    except WarehouseError:
        return []
    delim, quote, escape = (None if mark == "(empty)" else mark for mark in row[:3])
    return [] if delim is None else [(delim, quote or '"', escape or quote or '"', row[3], row[4])]


def _names(path: Path, delimiter: str, quote: str, escape: str, skip: int) -> tuple[str, ...]:
    """The header's names as they stand there, which DuckDB would number and complete on its own."""
    marks = {"doublequote": True} if escape == quote else {"doublequote": False, "escapechar": escape}
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        for _ in range(skip):
            file.readline()
        try:
            reader = csv.reader(file, delimiter=delimiter, quotechar=quote, **marks)
            return tuple(next((record for record in reader if record), ()))
        except csv.Error:
            return ()


def _unfit(best: Dialect, expected: Collection[str], stated: str | None) -> str:
    missing = ", ".join(f"'{column}'" for column in best.lacks(expected))
    if len(best.names) < 2 and stated:
        return (
            f"separated by {stated!r}, as zwerm.toml states, it has one column, and the survey maps {len(expected)} "
            f"({missing}); leave the source's delimiter out, or state the one that is in the file"
        )
    if len(best.names) < 2:
        return (
            f"read with any usual delimiter it has one column, and the survey maps {len(expected)} ({missing}); "
            'state delimiter = "…" of the source in zwerm.toml'
        )
    if not best.has_header:  # then its first line may be a respondent's, and is not shown
        return f"{missing} are not there: its first line does not look like column names; export it with a header"
    found = ", ".join(f"'{name[:60]}'" for name in best.names[:30]) + ("" if len(best.names) <= 30 else ", …")
    return (
        f"{missing} not found; separated by {best.delimiter!r} its columns are {found}; "
        "mend the roles in zwerm.toml, or see whether this is the right file"
    )
