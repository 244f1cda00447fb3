"""`zwerm demo` as a person runs it, and the two commands that a person tries next."""

import os
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from flows.demo.generate import broken_rows
from flows.demo.organisation import DEPARTMENTS, WAVES
from flows.demo.receivers import Received, Receivers
from flows.home import Home
from flows.orchestration.orchestrator import server
from tests.flows.paper.check import differing, differing_page, opened
from tests.flows.paper.mart import Mart
from tests.flows.paper.place import Place
from tests.flows.paper.read import Element
from tests.flows.whole import Survey

REVISED = "2026-08"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    errors: str
    computed_seconds: float  # by all processes that it started, of all cores


@dataclass(frozen=True)
class Demo:
    """A demo that has run, and the commands that were called after it."""

    folder: Path
    demo: Said
    run: Said
    backfill: Said

    @property
    def survey(self) -> Survey:
        """Its survey, to query."""
        return Survey(self.folder)

    @property
    def received(self) -> list[Received]:
        """What the receivers kept."""
        return Receivers(self.folder / "received", (), 0).received()


def zwerm(*arguments: str) -> Said:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-m", "flows", *arguments]
    before = _computed()
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    return Said(ended.returncode, ended.stdout, ended.stderr, _computed() - before)


def _computed() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "zwerm-demo"
    config = ("--config", str(folder / "zwerm.toml"))
    shown = zwerm("demo", str(folder))
    assert shown.code == 0, shown.errors
    with server(Home(folder)):  # the two share it, as any two do that run at once
        run = zwerm("run", *config)
        backfill = zwerm("backfill", "--survey", "passengers", "--from", WAVES[0], "--to", WAVES[-1], *config)
    return Demo(folder, shown, run, backfill)


pytestmark = pytest.mark.timeout(900)


def test_it_tells_the_skew_of_each_of_five_moments_and_that_all_received_the_same(demo: Demo) -> None:
    said = demo.demo.out
    assert len(re.findall(r"\d+ deliveries, skew \d+\.\d ms", said)) == 5
    assert len(re.findall(r"moment \d: 6 webhooks got the same bytes, the last \d+\.\d ms after the first", said)) == 5
    assert f"{REVISED}, revision 2" in said


def test_what_it_computes_leaves_a_third_of_90_seconds_of_two_cores_for_waiting(demo: Demo) -> None:
    assert 20 < demo.demo.computed_seconds < 2 * 60  # how long it takes says more of what else the host does


def test_it_tells_what_was_quarantined_and_why_just_as_it_was_put_in(demo: Demo) -> None:
    expected = sum((Counter(broken_rows(wave)) for wave in WAVES), Counter())
    told = dict(re.findall(r"^  (\w+)\s+(\d+)$", demo.demo.out.split("In quarantine")[1], flags=re.MULTILINE))
    assert {rule: int(count) for rule, count in told.items()} == expected


def test_it_ends_with_where_to_look_and_what_it_names_is_there(demo: Demo) -> None:
    for name in ("published/site/index.html", "published/warehouse.duckdb"):
        assert str(demo.folder / name) in demo.demo.out
        assert (demo.folder / name).exists()


def test_nothing_unexpected_is_printed(demo: Demo) -> None:
    for said in (demo.demo, demo.run, demo.backfill):
        assert "Traceback" not in said.out + said.errors
        assert "Warning" not in said.out + said.errors


def test_five_releases_are_published_and_the_second_wave_s_newest_is_revision_two(demo: Demo) -> None:
    releases = demo.survey.read("select wave, revision, reason from mart.releases order by wave, revision")
    assert list(zip(releases["wave"], releases["revision"], strict=True)) == [
        *((WAVES[0], 1), (WAVES[1], 1), (WAVES[1], 2), (WAVES[2], 1), (WAVES[3], 1))
    ]
    assert releases["reason"].dropna().tolist() == ["Answers on paper came in after the release."]
    latest = demo.survey.read("select distinct wave, revision from mart.promoter_metrics where is_latest order by wave")
    assert list(latest["revision"]) == [1, 2, 1, 1]


def test_the_revision_counts_the_late_answers_of_the_one_region_that_had_enough(demo: Demo) -> None:
    figures = demo.survey.read(
        f"select revision, department_id, department, status, responses from mart.promoter_metrics"
        f" where wave = '{REVISED}' order by department_id"
    )
    first, second = (figures[figures["revision"] == n].set_index("department") for n in (1, 2))
    assert list(first["status"]) == list(second["status"])
    grown = second["responses"] - first["responses"]
    changed: pd.Series = grown[grown.notna() & (grown != 0)]
    assert set(changed) == {24}
    assert len(changed) == 3  # the department, the one above it, and the whole


def test_every_department_stands_in_each_release(demo: Demo) -> None:
    names = demo.survey.read("select wave, count(*) as n from mart.promoter_metrics where is_latest group by wave")
    assert set(names["n"]) <= {len(DEPARTMENTS) + 1, len(DEPARTMENTS) + 2}  # in July also the one nobody knows


def test_each_figure_on_every_page_is_that_of_its_column_in_the_warehouse_in_both_languages(demo: Demo) -> None:
    releases = demo.survey.read("select wave, revision from mart.releases order by all")
    paths = [f"passengers/{wave}/r{revision}" for wave, revision in releases.itertuples(index=False)]
    assert len(paths) == 5
    assert differing(Mart(demo.survey), *paths) == []


@pytest.fixture(scope="module")
def first_page(demo: Demo) -> tuple[Place, Element]:
    """The page of the whole in October, which says what the mart has."""
    place, shown = opened(Mart(demo.survey).release(f"passengers/{WAVES[-1]}/r1"), "en", "index")
    assert list(differing_page(place, shown)) == []
    return place, shown


def test_a_page_with_two_columns_in_each_others_place_would_be_found(first_page: tuple[Place, Element]) -> None:
    place, shown = first_page
    swaps = 0
    for table in shown.all("table"):
        rows = [[cell for cell in row.holds if isinstance(cell, Element)] for row in table.first("tbody").all("tr")]
        for one, other in pairwise(range(max(map(len, rows)))):
            whole = [row for row in rows if len(row) > other]
            _swap(whole, one, other)
            assert any(differing_page(place, shown)), f"{table.first('caption').text()}: {one} and {other}"
            _swap(whole, one, other)
            swaps += 1
    assert swaps > 30


def _swap(rows: list[list[Element]], one: int, other: int) -> None:
    for row in rows:
        row[one].holds, row[other].holds = row[other].holds, row[one].holds


def test_a_page_with_another_number_in_a_sentence_a_cell_or_a_picture_would_be_found(
    first_page: tuple[Place, Element],
) -> None:
    place, shown = first_page
    numbers = list(_numbers(shown.first("main")))
    assert len(numbers) > 150
    for element, at in numbers:
        said = element.holds[at]
        assert isinstance(said, str)
        element.holds[at] = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), said, count=1)
        assert any(differing_page(place, shown)), f"{element.holds[at]} for {said}"
        element.holds[at] = said


def _numbers(element: Element) -> Iterator[tuple[Element, int]]:
    """Every text with a digit: but the numbers along axes, and what a link to a download says of the table above it."""
    for at, held in enumerate(element.holds):
        if isinstance(held, str):
            if re.search(r"\d", held):
                yield element, at
        elif not {"axis", "mark", "note"} & set(held.classes) and "download" not in held.attributes:
            yield from _numbers(held)


def test_every_webhook_received_each_release_once_and_the_same_bytes(demo: Demo) -> None:
    released = [one for one in demo.received if one.event == "release"]
    per_content = Counter(one.sha256 for one in released)
    assert sorted(per_content.values()) == [6] * 5
    assert len({(one.receiver, one.sha256) for one in released}) == 30


def test_a_run_afterwards_says_that_all_is_released_and_unchanged(demo: Demo) -> None:
    assert (demo.run.code, demo.run.errors.count("\nzwerm:")) == (0, 0)
    assert re.search(r"2026-10 is released and unchanged: nothing to do\.", demo.run.out)


def test_a_backfill_afterwards_does_nothing_and_says_so(demo: Demo) -> None:
    assert demo.backfill.code == 0
    for wave in WAVES:
        assert re.search(rf"{wave} is released and unchanged|{wave}.*released and unchanged", demo.backfill.out), wave
    assert len(demo.survey.read("from mart.releases")) == 5
