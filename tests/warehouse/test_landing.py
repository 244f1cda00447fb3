import codecs
import gzip
import io
import json
import stat
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # only tests write Excel
import pandas as pd
import pytest

from warehouse import WarehouseError
from warehouse.landing import (
    LandedFile,
    TextRelation,
    land,
    landed_files,
    open_relation,
    parsed,
    rejected,
)
from warehouse.store import Store

NOW = datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
Read = Callable[..., tuple[TextRelation, list[tuple[Any, ...]]]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch", threads=2) as opened:
        yield opened


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir(mode=0o700)
    return folder


def landed(store: Store, landing: Path, content: bytes, name: str = "export.csv", now: datetime = NOW) -> LandedFile:
    stream = io.BytesIO(content)
    return land(store, landing, survey="s", source="exports/*", name=name, stream=stream, run_id="r", now=now)


@pytest.fixture
def read(store: Store, landing: Path) -> Read:
    """Land bytes, open them, and give all rows in the order in which a table is filled from them."""

    def _read(content: bytes, name: str = "export.csv", expected: Collection[str] = (), **stated: Any) -> Any:
        relation = open_relation(store, landed(store, landing, content, name), expected=expected, **stated)
        store.run(f"create or replace temporary table filled as select * from {relation.sql}")
        return relation, store.rows("select * from filled order by rowid")

    return _read


# --- landing -------------------------------------------------------------------------------------------------------


def test_bytes_are_kept_untouched_under_their_hash_for_the_pipeline_s_account_alone(
    store: Store, landing: Path
) -> None:
    content = b"score\r\n9\r\n\xff"
    file = landed(store, landing, content)
    assert file.path == landing / file.file_id
    assert file.path.read_bytes() == content
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in landing.iterdir()] == [file.file_id]
    kept = store.rows("select survey, source, name, format, bytes, fetched_at, run_id from raw.files")
    assert kept == [("s", "exports/*", "export.csv", "csv", len(content), NOW.replace(tzinfo=None), "r")]


def test_landing_the_same_bytes_again_does_nothing(store: Store, landing: Path) -> None:
    first, again = (landed(store, landing, b"score\n9\n") for _ in range(2))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.file_id == again.file_id
    assert store.rows("select count(*) from raw.files") == [(1,)]


def test_the_newest_version_of_each_file_stands_also_when_an_older_one_comes_back(store: Store, landing: Path) -> None:
    for hour, content in enumerate((b"score\n1\n", b"score\n2\n", b"score\n1\n")):
        landed(store, landing, content, now=NOW.replace(hour=hour))
    landed(store, landing, b"score\n3\n", name="other.csv")
    offered = [("exports/*", "export.csv"), ("exports/*", "other.csv")]
    files = landed_files(store, landing, survey="s", sources=["exports/*"], offered=offered)
    assert [(file.name, file.path.read_bytes()) for file in files] == [
        ("export.csv", b"score\n1\n"),
        ("other.csv", b"score\n3\n"),
    ]


def test_of_a_file_that_is_offered_no_more_the_newest_version_that_was_read_stands(store: Store, landing: Path) -> None:
    for hour, content in enumerate((b"score\n1\n", b"score\n2\n", b"never read")):
        file = landed(store, landing, content, now=NOW.replace(hour=hour))
        if hour < 2:
            parsed(store, file, records=1)
    landed(store, landing, b"never read either", name="stray.csv")
    (file,) = landed_files(store, landing, survey="s", sources=["exports/*"], offered=[])
    assert (file.name, file.path.read_bytes(), file.is_offered) == ("export.csv", b"score\n2\n", False)
    assert landed_files(store, landing, survey="s", sources=["other/*"], offered=[]) == []


def test_what_a_killed_run_left_half_copied_is_removed(store: Store, landing: Path) -> None:
    (landing / ".0123.part").write_bytes(b"half")
    landed(store, landing, b"score\n9\n")
    assert not list(landing.glob(".*.part"))


def test_a_file_that_grows_while_it_is_read_is_refused_and_not_kept(
    store: Store, landing: Path, tmp_path: Path
) -> None:
    path = tmp_path / "growing.csv"
    path.write_bytes(b"score\n" + b"9\n" * 2_000_000)

    class Growing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            with path.open("ab") as writer:
                writer.write(b"8\n")
            return super().read(-1 if size is None else size) or b""

    with Growing(path) as stream, pytest.raises(WarehouseError, match=r"growing\.csv.*still being written"):
        land(store, landing, survey="s", source="x", name="growing.csv", stream=stream, run_id="r", now=NOW)
    assert not list(landing.iterdir())
    assert store.rows("select count(*) from raw.files") == [(0,)]


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_usual_delimiters_and_line_ends_are_found(read: Read, delimiter: str, line_end: str) -> None:
    lines = [["score", "why", "day"], ["9", '"quoted, with | ; and"', "1"], ["", '"two\nlines"', "2"]]
    content = line_end.join(delimiter.join(line) for line in lines) + line_end
    relation, rows = read(content.encode(), expected=("score", "day"))
    assert relation.columns == ("score", "why", "day")
    assert rows == [("9", "quoted, with | ; and", "1"), (None, "two\nlines", "2")]
    assert relation.remarks == ()


def test_a_dialect_is_compared_with_what_the_survey_maps(read: Read) -> None:
    with pytest.raises(WarehouseError, match=r"export\.csv.*one column.*maps 2.*'score', 'day'.*delimiter"):
        read(b"score^day\n9^1\n8^2\n", expected=("score", "day"))
    with pytest.raises(WarehouseError, match=r"separated by ',', as zwerm.toml states, it has one column.*leave"):
        read(b"score;day\n9;1\n8;2\n", expected=("score", "day"), delimiter=",")
    relation, rows = read(b"score^day\n9^1\n8^2\n", expected=("score", "day"), delimiter="^")
    assert (relation.columns, rows) == (("score", "day"), [("9", "1"), ("8", "2")])


def test_ragged_lines_do_not_turn_the_file_into_one_column(read: Read, store: Store) -> None:
    content = b"id,score,why\n1,9,a\n2,8\n3,7,b,c,d\n4,6,e\n5\n6,5,f\n"
    relation, rows = read(content, expected=("id", "score"))
    assert rows == [("1", "9", "a"), ("4", "6", "e"), ("6", "5", "f")]
    rejects = store.rows(relation.rejects)
    assert [(line, original) for line, _, original in rejects] == [(3, "2,8"), (4, "3,7,b,c,d"), (6, "5")]
    assert {reason for _, reason, _ in rejects} == {"missing columns", "too many columns"}


def test_a_quotation_mark_that_is_never_closed_loses_no_line_silently(read: Read, store: Store) -> None:
    content = b"id,score\n1,9\n" + b'2,"8\n' + b"".join(b"%d,7\n" % n for n in range(3, 1001))
    relation, rows = read(content, expected=("id", "score"))
    rejects = store.rows(relation.rejects)
    assert len(rows) + len(rejects) == 1000
    assert rejects[0] == (3, "unquoted value", '2,"8')
    assert rejects[-1][0] == 1001


def test_lines_that_an_unclosed_quotation_mark_swallows_in_a_large_file_are_an_error(read: Read, store: Store) -> None:
    relation, rows = read(b'id,score,why\n1,9,a\n2,"8,b\n' + b"7,8,9\n" * 7_000_000, expected=("id", "score"))
    with pytest.raises(WarehouseError, match=r"export\.csv: .*near line 3 is never closed, and \d+ lines after it"):
        rejected(store, relation, records=len(rows))
    relation, rows = read(b'id,score,why\n1,9,"a\nb"\n\n2,8,"b" c\n3,7,d\n', expected=("id", "score"))
    assert rows == [("1", "9", "a\nb"), ("3", "7", "d")]
    rejects = rejected(store, relation, records=len(rows))
    assert store.rows(f"select line_number, original from {rejects}") == [(5, '2,8,"b" c')]


def test_columns_that_the_survey_maps_and_the_file_lacks_are_named(read: Read) -> None:
    with pytest.raises(WarehouseError, match=r"export\.csv: 'netpro' not found; .*its columns are 'score', 'day'"):
        read(b"score,day\n9,1\n", expected=("netpro", "day"))


def test_a_first_line_that_is_data_is_not_shown(read: Read) -> None:
    with pytest.raises(WarehouseError, match="does not look like column names") as told:
        read(b"1,2026-01-02,9,3.5\n2,2026-01-03,8,2.5\n3,2026-01-04,7,1.5\n", expected=("score", "day"))
    assert "3.5" not in str(told.value)


def test_names_that_stand_there_twice_are_an_error_where_they_are_mapped_else_numbered(read: Read) -> None:
    relation, rows = read(b"id,why,Why,,score\n1,a,b,c,9\n", expected=("score",))
    assert relation.columns == ("id", "why", "Why_2", "column_4", "score")
    assert rows == [("1", "a", "b", "c", "9")]
    assert "Why" in relation.remarks[0]
    with pytest.raises(WarehouseError, match="several columns named 'why'"):
        read(b"id,why,Why,,score\n1,a,b,c,9\n", expected=("why",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "nothing but blanks"),
        (b"score,day\n", "names its columns and holds no records"),
        (b"score,day", "names its columns and holds no records"),
        (gzip.compress(b"", mtime=0), "is empty inside its gzip"),
        (gzip.compress(b"score,day\n" + b"9,1\n" * 100_000)[:-20], "cut off or damaged"),
        (b"PAR1 and no more", "cut off or damaged Parquet"),
        (b"PK\x03\x04 and no more", "cannot be read as Excel"),
        (b"{not json\n{neither\n", "not one line is a JSON object"),
    ],
)
def test_what_cannot_be_a_whole_export_is_a_clear_error(read: Read, content: bytes, says: str) -> None:
    with pytest.raises(WarehouseError, match=rf"export\.csv.*{says}"):
        read(content, expected=("score",))


def test_no_record_at_all_is_an_error_also_after_parsing(store: Store, landing: Path) -> None:
    file = landed(store, landing, b"score\n9\n")
    with pytest.raises(WarehouseError, match="holds no records"):
        parsed(store, file, records=0)
    parsed(store, file, records=1)
    assert store.rows("select records from raw.files") == [(1,)]


def test_a_last_line_without_an_end_is_remarked(read: Read) -> None:
    relation, rows = read(b"score,day\n9,1\n8,2", expected=("score",))
    assert rows == [("9", "1"), ("8", "2")]
    assert "last line has no line end" in relation.remarks[0]


def test_changed_columns_are_remarked_and_recorded(store: Store, read: Read) -> None:
    read(b"score,day\n9,1\n", name="2026-10.csv")
    relation, _ = read(b"score,why\n9,a\n", name="2026-11.csv")
    assert relation.remarks == ("2026-11.csv: its columns changed since 2026-10.csv: added 'why'; removed 'day'",)
    assert store.rows("select name, columns from raw.files order by name") == [
        ("2026-10.csv", ["score", "day"]),
        ("2026-11.csv", ["score", "why"]),
    ]


# --- encodings and hostile content -----------------------------------------------------------------------------------

TEXT = "score,why\n9,Zoë – €5\n8,שלום עליכם\n"
BOTH = [("9", "Zoë – €5"), ("8", "שלום עליכם")]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT.encode("utf-16")),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-16-be", "utf-32", "gzip named csv", "gzip of utf-16"],
)
def test_text_is_read_whatever_its_encoding(read: Read, content: bytes) -> None:
    relation, rows = read(content, expected=("score", "why"))
    assert relation.columns == ("score", "why")
    assert rows == BOTH


def test_windows_1252_is_recognised_and_a_stated_encoding_goes_before(read: Read) -> None:
    content = "score,why\n9,Zoë – €5\n".encode("cp1252")
    relation, rows = read(content, expected=("score",))
    assert rows == [("9", "Zoë – €5")]
    assert relation.remarks == ("export.csv: is not UTF-8; read as Windows-1252",)
    relation, rows = read("score,why\n9,Привет\n".encode("cp1251"), expected=("score",), encoding="cp1251")
    assert rows == [("9", "Привет")]
    with pytest.raises(WarehouseError, match="cannot be read as utf-16"):
        read(b"score,why\n9,a\nb", expected=("score",), encoding="utf-16-le")
    with pytest.raises(WarehouseError, match="'klingon' is not an encoding"):
        read(b"score,why\n9,a\n", expected=("score",), encoding="klingon")


def test_mixed_encodings_are_read_line_by_line_and_remarked(read: Read) -> None:
    content = b"score,why\n" + "9,café\n".encode() + "8,café\n".encode("cp1252") + b"7,plain\n"
    relation, rows = read(content, expected=("score",))
    assert rows == [("9", "café"), ("8", "café"), ("7", "plain")]
    assert relation.remarks == ("export.csv: mixes encodings: 1 lines were read as Windows-1252, the others as UTF-8",)


def test_mixed_line_ends_are_read(read: Read) -> None:
    _, rows = read(b'score,why\r\n9,"a\r\nb"\n8,c\n7,d\r\n', expected=("score",))
    assert rows == [("9", "a\nb"), ("8", "c"), ("7", "d")]


def test_transcoded_copies_are_for_the_pipeline_s_account_alone(store: Store, read: Read) -> None:
    read(gzip.compress(TEXT.encode("utf-16")), expected=("score",))
    copies = list(store.scratch.iterdir())
    assert copies
    assert {stat.S_IMODE(copy.stat().st_mode) for copy in copies} == {0o600}


def test_a_cell_of_ten_megabytes_and_nul_bytes_come_through(read: Read) -> None:
    huge = "lang " * 2_000_000 + "\n" * 1000
    content = b"score,why\n9,a\x00b\n" + f'8,"{huge}"\n7,end\n'.encode()
    _, rows = read(content, expected=("score", "why"))
    assert rows == [("9", "a\0b"), ("8", huge), ("7", "end")]


def test_a_record_beyond_every_measure_is_rejected_and_the_rest_is_read(read: Read, store: Store) -> None:
    relation, rows = read(b"score,why\n9,a\n8," + b"x" * 17_000_000 + b"\n7,end\n", expected=("score", "why"))
    assert rows == [("9", "a"), ("7", "end")]
    ((line, reason, original),) = store.rows(relation.rejects)
    assert (line, reason, len(original)) == (3, "line size over maximum", 10_000)


def test_sql_and_paths_are_text_like_any_other(read: Read, store: Store) -> None:
    bad = "x'); drop table raw.files; --"
    relation, rows = read(
        f'"{bad}","../../etc/passwd",score\n"{bad}","../../etc/passwd",9\n'.encode(),
        name="x'); drop table raw.files; --.csv",
        expected=("score", bad),
    )
    assert relation.columns == (bad, "../../etc/passwd", "score")
    assert rows == [(bad, "../../etc/passwd", "9")]
    assert store.rows("select name from raw.files") == [(f"{bad}.csv",)]


# --- the other formats ------------------------------------------------------------------------------------------------


def test_json_lines(read: Read, store: Store) -> None:
    objects = [
        {"score": 9, "why": 'a "b"\n', "a/b~c.d": 1.50, "more": {"x": [1]}},
        {"score": None, "late": True},
        {"score": "8", "why": "אב"},
    ]
    lines = [json.dumps(item, ensure_ascii=False) for item in objects]
    content = "\n".join([lines[0], lines[1], "{broken", "[1, 2]", "", lines[2]]) + "\n"
    relation, rows = read(content.encode(), name="export.jsonl", expected=("score", "late"))
    assert relation.format == "jsonl"
    assert relation.columns == ("score", "why", "a/b~c.d", "more", "late")
    assert rows == [
        ("9", 'a "b"\n', "1.5", '{"x":[1]}', None),
        (None, None, None, None, "true"),
        ("8", "אב", None, None, None),
    ]
    assert [(line, original) for line, _, original in store.rows(relation.rejects)] == [(3, "{broken"), (4, "[1, 2]")]


def test_json_lines_that_are_no_text_are_rejected_and_not_dropped(read: Read, store: Store) -> None:
    content = b'{"score": 9}\n{"score": "\x01"}\n{"score": "' + b"x" * 17_000_000 + b'"}\n{"score": "a\\u0000"}\n'
    relation, rows = read(content, name="export.jsonl", expected=("score",))
    assert rows == [("9",), ("a\0",)]
    assert [(line, reason) for line, reason, _ in store.rows(relation.rejects)] == [
        (2, "too many columns"),
        (3, "line size over maximum"),
    ]


def test_a_json_array_is_told_apart(store: Store, landing: Path) -> None:
    with pytest.raises(WarehouseError, match="one JSON array; export it as JSON Lines"):
        landed(store, landing, b'[{"score": 9}]', name="export.json")


def test_parquet(read: Read, tmp_path: Path) -> None:
    frame = pd.DataFrame({"score": [9.0, None], "day": [date(2026, 1, 2), None], "is_on": [True, False], "n": [1, 2]})
    path = tmp_path / "any.parquet"
    frame.to_parquet(path)
    relation, rows = read(path.read_bytes(), name="export.parquet", expected=("score",))
    assert (relation.format, relation.columns) == ("parquet", ("score", "day", "is_on", "n"))
    assert rows == [("9.0", "2026-01-02", "true", "1"), (None, None, "false", "2")]
    frame[:0].to_parquet(path)
    with pytest.raises(WarehouseError, match="holds no records"):
        read(path.read_bytes(), name="export.parquet")


def test_excel(read: Read, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "answers"
    first.append(["score", "day", "at", "why", "rate"])
    first.append([9, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), "=1+1", 0.25])
    first.append([None, None, None, None, None])
    first.append(["8", None, None, True, 10_000_000_000])
    book.create_sheet("notes").append(["nothing"])
    path = tmp_path / "any.xlsx"
    book.save(path)
    relation, rows = read(path.read_bytes(), name="export.xlsx", expected=("score",))
    assert (relation.format, relation.columns) == ("excel", ("score", "day", "at", "why", "rate"))
    assert rows[0][:3] == ("9", "2026-01-02", "2026-01-02 03:04:00")
    assert rows[1] == ("8", None, None, "true", "10000000000")
    assert relation.remarks == ("export.xlsx: read the first sheet, 'answers'; not notes",)
    with pytest.raises(WarehouseError, match="no sheet 'answer'; it has answers, notes"):
        read(path.read_bytes(), name="export.xlsx", sheet="answer")
    with pytest.raises(
        WarehouseError, match="holds no records: sheet 'notes' was read, and there are others: 'answers'"
    ):
        read(path.read_bytes(), name="export.xlsx", sheet="notes")


def test_other_formats_are_compared_with_the_mapping_too(read: Read) -> None:
    with pytest.raises(WarehouseError, match=r"export\.jsonl lacks 'netpro'.*its columns are 'score'"):
        read(b'{"score": 9}\n', name="export.jsonl", expected=("netpro",))


# --- the order of records ---------------------------------------------------------------------------------------------


def test_records_keep_their_order_over_many_threads(store: Store, read: Read, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    store.run(
        f"copy (select i as id, 'line ' || i || case when i % 1000 = 0 then chr(10) else '' end as why"
        f" from range(1, 1000001) t(i)) to '{path}' (header)"
    )
    read(path.read_bytes(), expected=("id",))
    assert store.rows("select count(*), count(*) filter (id::bigint <> rowid + 1) from filled") == [(1_000_000, 0)]


def test_real_surveys_are_read_whole(read: Read, survey_data: Path) -> None:
    sfo, rows = read((survey_data / "sfo-2017/responses.csv").read_bytes(), expected=("NETPRO", "BAREA", "GATE"))
    assert (len(rows), len(sfo.columns), sfo.remarks) == (2831, 97, ())
    _, rows = read((survey_data / "r-community-2018/responses.tsv").read_bytes(), expected=("Qrecommend", "Qtime"))
    assert len(rows) == 3080
