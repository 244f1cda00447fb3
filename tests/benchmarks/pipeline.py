"""One million rows from file to sealed release, against the bare script, in pairs: `make bench`."""

import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from flows.preparing.steps import prepare
from flows.progress import be_quiet
from flows.run import Run
from tests.benchmarks.baseline import run_baseline
from tests.benchmarks.generate import FOLDER, WAVE, survey_csv

PAIRS = 7
SURVEY = "benchmark"
COMPARED = (
    "responses",
    "missing_scores",
    "promoters",
    "passives",
    "detractors",
    "weight_sum",
    "weight_square_sum",
    "weighted_promoters",
    "told_known",
    "told",
    "influence_known",
    "superpromoters",
    "warned_known",
    "warned",
    "respondent_promoters",
    "respondent_passives",
    "respondent_detractors",
)
CONFIGURATION = """
[organisation]
name = "Benchmark"
languages = ["en", "nl"]
timezone = "Europe/Amsterdam"

[surveys.benchmark]
title = "One million answers"
wave = "month"

[[surveys.benchmark.sources]]
path = "{csv}"

[surveys.benchmark.roles]
response_id = "response_id"
respondent_id = "respondent_id"
responded_at = "responded_at"
department = ["part", "unit", "department"]
score = "score"
weight = "weight"
told_count = "told"
acted_count = "acted"
warned_count = "warned"
comment = "comment"

[surveys.benchmark.comments]
show = false
"""


def run_pipeline(csv: Path, home: Path) -> None:
    """Fetch, land, conform, check, tally, protect, metrics and seal without pages, below Prefect, in a new home."""
    home.mkdir(parents=True)
    config = home / "zwerm.toml"
    config.write_text(CONFIGURATION.format(csv=csv), encoding="utf-8")
    prepared = prepare(Run.begin(config), SURVEY, WAVE, with_pages=False)
    if prepared.sealed is None:
        raise SystemExit("the pipeline sealed nothing")


def main() -> None:
    """Run the pairs in alternating order, see that both counted the same, and print the ratio."""
    csv, small = survey_csv(), survey_csv(rows=20_000)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        _pair(small, Path(scratch) / "warm", pipeline_first=True)
        pairs = [_pair(csv, Path(scratch) / str(number), pipeline_first=number % 2 == 0) for number in range(PAIRS)]
    pipeline, bare = zip(*pairs, strict=True)
    print(f"pipeline  median {statistics.median(pipeline):.2f} s")
    print(f"duckdb    median {statistics.median(bare):.2f} s")
    print(f"RATIO pipeline_1m_over_duckdb {statistics.median(p / b for p, b in pairs):.2f}")


def _pair(csv: Path, folder: Path, *, pipeline_first: bool) -> tuple[float, float]:
    """Seconds of the pipeline and of the bare script."""
    home, scratch = folder / "home", folder / "bare"
    scratch.mkdir(parents=True)
    tallies: list[dict[str, Any]] = []
    parts: dict[str, Callable[[], object]] = {
        "pipeline": lambda: run_pipeline(csv, home),
        "bare": lambda: tallies.extend(run_baseline(csv, scratch)[1]),
    }
    seconds = {name: _timed(parts[name]) for name in sorted(parts, reverse=pipeline_first)}
    _see_that_both_counted_the_same(home, tallies)
    shutil.rmtree(folder)
    print(f"{csv.name}: pipeline {seconds['pipeline']:.2f} s, duckdb {seconds['bare']:.2f} s", flush=True)
    return seconds["pipeline"], seconds["bare"]


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _see_that_both_counted_the_same(home: Path, tallies: Sequence[dict[str, Any]]) -> None:
    columns = ", ".join(f"{column}::decimal(38, 10)" for column in COMPARED)
    with duckdb.connect(str(home / "working" / "warehouse.duckdb"), read_only=True) as connection:
        counted = connection.execute(f"select {columns} from core.tallies").fetchall()
    expected = [tuple(row[column] or 0 for column in COMPARED) for row in tallies]
    found = [tuple(value or 0 for value in row) for row in counted]
    if sorted(expected) != sorted(found):
        raise SystemExit("the pipeline and the bare script counted differently: the ratio means nothing")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other packages, at their import
    be_quiet()
    main()
