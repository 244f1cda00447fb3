import gzip
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from warehouse import WarehouseError
from warehouse.formats import MAX_RECORD_BYTES
from warehouse.landing import land, open_relation, rejected
from warehouse.store import Store

Told = Callable[[bytes], tuple[int, int]]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """How many records and how many rejects a file gives; the error where some of its lines would be in neither."""
    (tmp_path / "landing").mkdir()
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch", threads=2) as store:

        def _told(content: bytes) -> tuple[int, int]:
            file = land(
                store,
                tmp_path / "landing",
                survey="s",
                source="*",
                name="export.csv",
                stream=io.BytesIO(content),
                run_id="r",
                now=datetime(2026, 11, 3, tzinfo=UTC),
            )
            relation = open_relation(store, file, expected=("id",))
            store.run(f"create or replace temporary table filled as select * from {relation.sql}")
            records = store.rows("select count(*) from filled")[0][0]
            rejects = rejected(store, relation, records=records)
            return records, store.rows(f"select count(*) from {rejects}")[0][0]

        yield _told


def export(stray: dict[int, tuple[str, str]], *, head: str = "id,on,unit,score,why", end: str = "\n") -> str:
    """Forty records; of some, one text stands in place of another."""
    delimiter = re.findall(r"[^\w]+", head)[0]
    lines = [
        delimiter.join([str(n), "2026-10-04", "North", "8", "fine"][: head.count(delimiter) + 1]) for n in range(40)
    ]
    for number, (old, new) in stray.items():
        lines[number] = lines[number].replace(old, new)
    return end.join([head, *lines]) + end


LAST = {10: ("fine", '"fine'), 30: ("fine", 'fine"')}
MIDDLE = {10: ("North", '"North'), 30: ("North", 'North"')}
OTHER = {10: ("fine", '"fine'), 30: ("North", 'North"')}  # too many values: a reject that holds all the lines


@pytest.mark.parametrize("stray", [LAST, MIDDLE, OTHER, {**LAST, 20: ("8", "8,too,many")}])
@pytest.mark.parametrize(
    "form",
    [{}, {"head": "id;on;unit;score;why"}, {"head": "id\ton\tunit\tscore\twhy"}, {"end": "\r\n"}, {"end": "\n\n"}],
)
def test_records_between_two_stray_quotation_marks_are_never_lost_silently(
    told: Told, stray: dict[int, tuple[str, str]], form: dict[str, str]
) -> None:
    lines = 40 if form.get("end") == "\n\n" else 20
    with pytest.raises(
        WarehouseError, match=rf"export\.csv: .*line (12|23)\)? .* {lines} lines further on.*JSON Lines"
    ) as error:
        told(export(stray, **form).encode())
    assert error.value.exit_code == 3
    assert "fine" not in str(error.value)


@pytest.mark.parametrize("packed", [gzip.compress, lambda content: content.decode().encode("utf-16")])
def test_they_are_found_in_other_encodings_too(told: Told, packed: Callable[[bytes], bytes]) -> None:
    with pytest.raises(WarehouseError, match=r"column 'why' of record 11 \(in or near line 12.*20 lines further on"):
        told(packed(export(LAST).encode()))


@pytest.mark.parametrize(
    ("head", "first", "last"), [("id,on,unit,score,why", 10, 11), ("id,on,unit,score", 10, 12), ("id,on", 10, 16)]
)
def test_few_of_them_are_found_too(told: Told, head: str, first: int, last: int) -> None:
    text = ["2026-10-04", "", "8", "fine"][head.count(",") - 1]
    with pytest.raises(WarehouseError, match=f"record 11 .*opens.* {last - first} lines further on"):
        told(export({first: (text, f'"{text}'), last: (text, f'{text}"')}, head=head).encode())


def test_where_a_blank_stands_behind_each_delimiter_they_are_found_too(told: Told) -> None:
    with pytest.raises(WarehouseError, match="record 11 "):
        told(export(LAST, head="id, on, unit, score, why").replace(' "fine', '"fine').encode())


@pytest.mark.parametrize("stray", [LAST, MIDDLE, OTHER])
def test_they_are_found_where_values_begin_with_a_blank(told: Told, stray: dict[int, tuple[str, str]]) -> None:
    with pytest.raises(WarehouseError, match="20 lines further on"):
        told(export(stray).replace(",8,", ", 8,").encode())


def test_what_swallows_more_than_a_record_can_hold_is_an_error_too(told: Told) -> None:
    line = "2,2026-10-04,North,8," + "fine " * 1000 + "\n"
    content = 'id,on,unit,score,why\n1,2026-10-04,North,8,"fine\n' + line * (MAX_RECORD_BYTES // 4000) + '3,,,,fine"\n'
    with pytest.raises(WarehouseError, match=r"near line 2 is never closed, and \d+ lines after it"):
        told(content.encode())


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "Good: food, staff, views, price\nBad: beds, baths, noise, smell",
        "the staff\nfood, staff, views, price, place\nand all",
        "a,b,c,d,e\n\nand that is all there is,\nor nearly so\nI think\nand so do others",
        "\n\n\n\n",
        "food;staff;views;price;place\n" * 5,
        "yes\nno, not really\n" * 9,
    ],
)
@pytest.mark.parametrize("head", ["id,on,unit,score,why", "id,why"])
def test_what_people_write_on_several_lines_is_theirs(told: Told, text: str, head: str) -> None:
    why = f'"{text}"'
    lines = [",".join([str(n), *["x"] * (head.count(",") - 1), why if n % 3 else "fine"]) for n in range(40)]
    assert told("\n".join([head, *lines, ""]).encode()) == (40, 0)
