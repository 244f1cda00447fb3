"""The benchmark's export is the same at every run, and the bare script counts all of it."""

from pathlib import Path

from tests.benchmarks.baseline import run_baseline
from tests.benchmarks.generate import PARTS, UNITS, survey_csv

ROWS = 50_000


def test_the_export_is_the_same_at_every_run_and_is_made_once(tmp_path: Path) -> None:
    first = survey_csv(rows=2_000, departments=200, folder=tmp_path / "a")
    second = survey_csv(rows=2_000, departments=200, folder=tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    made = first.stat().st_mtime_ns
    assert survey_csv(rows=2_000, departments=200, folder=tmp_path / "a").stat().st_mtime_ns == made


def test_one_row_in_a_thousand_is_broken_and_the_bare_script_counts_the_others(tmp_path: Path) -> None:
    rules, tallies = run_baseline(survey_csv(rows=ROWS, folder=tmp_path), tmp_path)
    (whole,) = (row for row in tallies if row["level"] == 7)
    broken = sum(count for name, count in rules.items() if name != "records")
    assert rules["records"] == ROWS
    assert 0.0005 < broken / ROWS < 0.002
    assert whole["responses"] + whole["missing_scores"] + broken in range(ROWS, ROWS + 3)  # a row may break two rules


def test_the_tree_is_uneven_and_has_three_levels_that_add_up(tmp_path: Path) -> None:
    _, tallies = run_baseline(survey_csv(rows=ROWS, departments=300, folder=tmp_path), tmp_path)
    by_level = {level: [row for row in tallies if row["level"] == level] for level in (7, 3, 1, 0)}
    assert len(by_level[3]) == PARTS
    assert len(by_level[1]) == UNITS
    assert 200 < len(by_level[0]) <= 300 - PARTS - UNITS
    sizes = sorted(row["responses"] for row in by_level[0])
    assert sizes[0] < 10
    assert sizes[-1] > 1000
    for level in (3, 1):
        assert sum(row["responses"] for row in by_level[level]) == by_level[7][0]["responses"]
    for row in tallies:
        assert row["promoters"] + row["passives"] + row["detractors"] == row["responses"]
