"""The downloads carry the mart's columns at full precision and are safe to open in a spreadsheet."""

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from tests.transforms.report.editions import FERRY, ROOT, airport, ferry, tree_of
from transforms.report.downloads import downloads
from transforms.report.edition import METRICS


def rows(source: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(source.decode("utf-8-sig"), newline="")))


def test_every_row_and_column_of_the_mart_is_there_and_reads_back_exactly() -> None:
    edition = ferry()
    read = pd.read_csv(io.BytesIO(downloads(edition)["downloads/all-departments-nl.csv"]))
    assert tuple(read.columns) == METRICS
    for column in ("nps", "nps_low", "superpromoter_rate", "change_p_value"):
        expected = edition.metrics[column].astype(float).tolist()
        assert [a == b or (a != a and b != b) for a, b in zip(read[column], expected, strict=True)] == [True] * 15
    assert rows(downloads(edition)["downloads/all-departments-nl.csv"])[0]["responses"] == "5104"


def test_departments_have_the_name_of_the_downloads_language() -> None:
    made = downloads(ferry())
    assert "Veer Texel" in made["downloads/all-departments-nl.csv"].decode()
    assert "Texel ferry" in made["downloads/all-departments-en.csv"].decode()
    assert "Texel ferry" in made["downloads/highlights-en.csv"].decode()


def test_a_suppressed_row_has_its_status_and_empty_cells() -> None:
    made = rows(downloads(ferry())["downloads/all-departments-en.csv"])
    found = next(row for row in made if row["department_id"].startswith("lost-property"))
    assert found["status"] == "suppressed"
    assert {found[column] for column in METRICS[7:]} == {""}


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(name: str) -> None:
    nodes = [FERRY[0], ("a-1", ROOT, 1, name, name)]
    made = downloads(tree_of(nodes, {"a-1": (10, 10, 30)}))
    assert rows(made["downloads/all-departments-en.csv"])[1]["department"] == f"'{name}"


def test_a_negative_number_stays_a_number() -> None:
    nodes = [FERRY[0], ("a-1", ROOT, 1, "A", "A")]
    made = rows(downloads(tree_of(nodes, {"a-1": (10, 10, 30)}))["downloads/all-departments-en.csv"])
    assert float(made[0]["nps"]) == -40.0


def test_earlier_waves_are_one_download_and_only_where_there_are_any() -> None:
    made = downloads(ferry(waves=3))
    assert [row["wave"] for row in rows(made["downloads/over-time-en.csv"]) if row["department_id"] == ROOT] == [
        "2026-08",
        "2026-09",
        "2026-10",
    ]
    assert "downloads/over-time-en.csv" not in downloads(airport())


def test_whole_numbers_stay_whole_whatever_the_frames_type() -> None:
    edition = ferry()
    floats = replace(edition, metrics=edition.metrics.astype({"responses": "Float64", "promoters": "Float64"}))
    assert downloads(floats) == downloads(edition)
