"""Hostile input goes the whole way, and stays what it is: text. No script, no formula, no SQL, no path."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from flows.release import Report
from flows.run import Run
from tests.flows.whole import Survey
from warehouse.store import Store

CHROMIUM = "/usr/bin/chromium"
TEXTS = (
    "<script>window.hit = 1; document.title = 'taken over'</script>",
    "\"><img src=x onerror='window.hit = 1'>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "../../etc/passwd",
    "'; drop table core.responses; --",
    '"; delete from core.tallies; --',
    "{{ 7 * 7 }} {% include '/etc/passwd' %} ${HOME} %(score)s",
    "javascript:window.hit=1",
    "https://evil.example/beacon.png",
    "قسم الضيوف والتذاكر",
    "gpj.\u202eexe.foto",
    "👩‍👩‍👧‍👦 n\u0308n\u0308n\u0308",
)
WAVE = "../../../<script>window.hit=1</script>'; drop table core.batches; --"
LONG = "Lange naam " * 18  # 198 characters
COLUMNS = ("id", "who", "unit", "score", "weight", "told", "acted", "warned", "heeded", "copied", "at", "comment", "w")
NUMERIC = {
    "score": ["score_is_readable"],
    "weight": ["weight_is_readable"],
    "told": ["told_count_is_readable"],
    "acted": ["acted_count_is_readable"],
    "warned": ["warned_count_is_readable"],
    "heeded": ["warned_acted_count_is_readable"],
    "copied": ["copied_is_readable"],
    "at": ["responded_at_is_readable"],
}
WIDTH = 2_000
FILE = "answers'; drop table raw.files; --<script>.csv"
TEN_MEGABYTES = "x" * 10_000_000
RULES = sorted({rule for rules in NUMERIC.values() for rule in rules} | {"department_is_text", "quarantine_is_small"})
CONFIGURATION = f"""
[organisation]
name = "Waddenlijn & <i>partners</i>"
languages = ["nl", "en"]
[surveys.guests]
title = "Guests </title><script>window.hit=1</script>"
wave = {{ column = "w" }}
duplicates = "drop"
[surveys.guests.roles]
response_id = "id"
respondent_id = "who"
score = "score"
weight = "weight"
responded_at = "at"
department = ["unit"]
told_count = "told"
acted_count = "acted"
warned_count = "warned"
warned_acted_count = "heeded"
copied = "copied"
comment = "comment"
segments = {{ nobody = "none" }}
[surveys.guests.checks]
{"".join(f"{rule} = {{ most = 1.0 }}{chr(10)}" for rule in RULES)}
"""
AUDIENCE = """
[[audience]]
department = []
folder = "home/shares/all"
[[audience]]
department = ["../../etc/passwd"]
folder = "home/shares/passwd"
"""


@dataclass(frozen=True)
class Hostile:
    """A survey full of attacks that went the whole way."""

    survey: Survey
    run: Run
    report: Report
    before: dict[str, bytes]
    counts: dict[str, int]

    def store(self, sql: str) -> list[tuple[Any, ...]]:
        """A query on the working warehouse."""
        with Store.open(self.run.home.warehouse, scratch=self.run.home.scratch) as store:
            return store.rows(sql)

    @property
    def pages(self) -> list[Path]:
        """Every page of the site."""
        return sorted(Path(os.path.realpath(self.survey.published / "site")).rglob("*.html"))

    @property
    def document(self) -> dict[str, Any]:
        """`release.json` as the folder's reader has it."""
        (path,) = (self.run.home.path / "shares" / "all").glob("guests/*/r1/release.json")
        document: dict[str, Any] = json.loads(path.read_bytes())
        return document


def answers() -> tuple[list[dict[str, str]], dict[str, int]]:
    """The rows, and how many of them are to be quarantined and dropped."""
    rows: list[dict[str, str]] = []

    def add(**said: str) -> None:
        number = len(rows)
        usual = {"who": f"p{number}", "unit": "Texel", "score": str(number % 11), "weight": "1.5", "told": "2"}
        also = {
            "acted": "1",
            "warned": "0",
            "heeded": "0",
            "copied": "nee",
            "at": "2025-08-14",
            "comment": "",
            "w": WAVE,
        }
        rows.append({"id": str(number), **usual, **also, **said})

    for _ in range(120):
        add()
    for unit in (*TEXTS, LONG, "Café"):
        for _ in range(15):
            add(unit=unit)
    for text in TEXTS:
        for column in ("id", "who", "comment"):
            add(**{column: text})
    add(comment=TEN_MEGABYTES)
    add(comment="a NUL\x00in a remark")
    broken = 0
    for column in NUMERIC:
        for text in TEXTS:
            add(**{column: text})
            broken += 1
    for unit in ("Tex\x00el", "Tex\nel", "y" * 201, "z" * 1_000_000):
        add(unit=unit)
        broken += 1
    rows.extend(dict(row) for row in rows[:3])
    return rows, {"in": len(rows), "quarantined": broken, "dropped": 3}


def written(folder: Path) -> dict[str, int]:
    """The file: 2,000 columns, some of them with names that attack, and lines in two encodings."""
    rows, counts = answers()
    also = ["none", *TEXTS, *(f"q{n}" for n in range(WIDTH - len(COLUMNS) - len(TEXTS) - 2)), "n" * 5_000]
    assert len(COLUMNS) + len(also) == WIDTH
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, *also])
    filler = [TEXTS[n % len(TEXTS)] if n < 30 else "" for n in range(len(also))]
    content = [file.getvalue().encode()]
    for number, row in enumerate(rows):
        file = io.StringIO(newline="")
        csv.writer(file, lineterminator="\n").writerow([row[column] for column in COLUMNS] + filler)
        is_old = row["unit"] == "Café" and number % 2 == 0  # as another platform wrote them
        line = file.getvalue() if not is_old else file.getvalue().replace(TEXTS[10], "").replace(TEXTS[11], "")
        content.append(line.replace(TEXTS[12], "").encode("cp1252") if is_old else line.encode())
    (folder / FILE).write_bytes(b"".join(content))
    return counts


def outside(folder: Path) -> dict[str, bytes]:
    """Every file that is not the home's."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if (folder / "a" / "b" / "home") not in (path, *path.parents)
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """The home lies three folders deep, so that a path that climbs is seen where it arrives."""
    folder = tmp_path_factory.mktemp("hostile")
    survey = folder / "a" / "b"
    for made in (survey, folder / "tmp", folder / "cwd", folder / "etc"):
        made.mkdir(parents=True)
    (folder / "etc" / "passwd").write_text("root")
    written_survey = Survey.written(survey, "", configuration=f'home = "home"\n{CONFIGURATION}', more=AUDIENCE)
    (survey / "answers.csv").unlink()
    counts = written(survey)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        patch.setenv("TMPDIR", str(folder / "tmp"))
        patch.chdir(folder / "cwd")
        before = outside(folder)
        report = written_survey.release(WAVE)
        assert report is not None
        yield Hostile(written_survey, Run.begin(written_survey.config), report, before, counts)


def test_it_ends_well_and_everyone_has_it(hostile: Hostile) -> None:
    assert {d.status for d in hostile.report.deliveries} == {"delivered"}
    assert [release.wave for release in hostile.report.releases] == [WAVE]


def test_nothing_is_written_outside_the_home(hostile: Hostile) -> None:
    folder = hostile.survey.folder.parents[1]
    assert outside(folder) == hostile.before
    assert not [
        path for path in hostile.run.home.path.rglob("*") if path.name == "passwd" and path.parent.name == "etc"
    ]


def test_all_records_are_accounted_for(hostile: Hostile) -> None:
    ((came, accepted, quarantined),) = hostile.store(
        "select in_count, accepted_count, quarantined_count from core.batches"
    )
    assert (came, quarantined) == (hostile.counts["in"], hostile.counts["quarantined"])
    assert came == accepted + quarantined
    (whole,) = hostile.survey.read(
        "select responses + missing_scores as n from mart.promoter_metrics where department_id = 'all'"
    )["n"]
    assert came == whole + quarantined + hostile.counts["dropped"]


def test_quarantine_holds_every_rejected_row_with_its_reasons_and_as_it_came(hostile: Hostile) -> None:
    kept = hostile.store("select rules, original from core.quarantine")
    originals = [(rules, json.loads(original)) for rules, original in kept]
    for column, rules in NUMERIC.items():
        for text in TEXTS:
            (found,) = [broken for broken, original in originals if original[column] == text]
            assert found == rules, (column, text)
    units = sorted(original["unit"] for rules, original in originals if rules == ["department_is_text"])
    assert units == sorted(["Tex\x00el", "Tex\nel", "y" * 201, "z" * 1_000_000])


def test_the_cell_of_ten_megabytes_was_one_answer_like_any_other(hostile: Hostile) -> None:
    ((file_id,),) = hostile.store("select file_id from raw.files")
    assert TEN_MEGABYTES.encode() in (hostile.run.home.landing / file_id).read_bytes()


def test_names_stand_in_the_published_warehouse_and_in_release_json_as_data(hostile: Hostile) -> None:
    expected = {"Waddenlijn & <i>partners</i>", "Texel", LONG.strip(), "Café", *TEXTS}
    assert set(hostile.survey.read("select department from mart.promoter_metrics")["department"]) == expected
    assert set(hostile.survey.read("select distinct wave from mart.releases")["wave"]) == {WAVE}
    assert {row["department"] for row in hostile.document["departments"]} == expected
    cafe = hostile.survey.read("select responses from mart.promoter_metrics where department = 'Café'")
    assert list(cafe["responses"]) == [15]  # whichever encoding a line was in


def test_every_table_is_still_there(hostile: Hostile) -> None:
    names = {
        name for (name,) in hostile.store("select table_schema || '.' || table_name from information_schema.tables")
    }
    assert {"raw.files", "core.batches", "core.responses", "core.quarantine", "core.tallies"} <= names
    assert hostile.store("select count(*) > 0 from core.tallies") == [(True,)]


def test_no_download_has_a_cell_that_a_spreadsheet_would_calculate(hostile: Hostile) -> None:
    paths = sorted(Path(os.path.realpath(hostile.survey.published / "site")).rglob("*.csv"))
    assert paths
    seen: set[str] = set()
    for path in paths:
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")):
            seen |= set(row)
            for cell in row:
                assert not cell.startswith(("=", "+", "@", "\t", "\r")), (path.name, cell)
                assert not cell.startswith("-") or float(cell) < 0
    assert {f"'{TEXTS[2]}", f"'{TEXTS[3]}"} <= seen


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "the page tests need Debian's Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


def test_no_page_runs_a_script_or_asks_for_anything_but_itself_and_its_style(
    hostile: Hostile, browser: Browser
) -> None:
    site = Path(os.path.realpath(hostile.survey.published / "site"))
    assert len(hostile.pages) > 30
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in hostile.pages:
        page.goto(f"file://{path}", wait_until="load")
        assert page.evaluate("window.hit") is None, path
        assert (
            page.evaluate("document.querySelectorAll('script, iframe, object, embed, [onerror], [onload]').length") == 0
        )
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
        assert all(link.startswith((f"file://{site}/", "#")) for link in links), (path, links)
    assert said == []
    assert {url for url in asked if not url.startswith((f"file://{site}/", "data:"))} == set()
    assert all(url.endswith((".html", ".css")) for url in asked if not url.startswith("data:"))


def test_the_names_can_be_read_on_the_pages_letter_by_letter(hostile: Hostile, browser: Browser) -> None:
    (index,) = [path for path in hostile.pages if str(path).endswith("r1/en/index.html")]
    page = browser.new_page()
    page.goto(f"file://{index}", wait_until="load")
    text = " ".join(page.evaluate("document.body.textContent").split())
    for name in TEXTS:
        assert " ".join(name.split()) in text, name
