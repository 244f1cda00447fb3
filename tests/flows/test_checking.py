"""Checked before it is published, and once again after: what everyone reads is what was sealed."""

from pathlib import Path

import duckdb
import pytest

from flows.command.rehearsal import rehearse
from flows.errors import FlowError, StoppedByCheckError
from flows.preparing.checking import check_published
from flows.run import Run
from tests.flows.whole import TEAMS, Survey
from warehouse.ledger import Ledger

ROWS = "score,team\n" + "".join(f"{3 + number % 8},{('North', 'South')[number % 2]}\n" for number in range(200))


CHANGES = {
    "promoter_metrics": "update mart.promoter_metrics set nps = nps + 1 where department_id = 'all'",
    "quality": "update mart.quality set outcome = 'failed' where rule = 'scores_are_given'",
    "trends": "delete from mart.trends where department_id = 'all'",
}


def test_what_is_published_is_checked_again_and_a_change_in_any_table_is_a_breach(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    report = survey.release()
    assert report is not None
    run = Run.begin(survey.config)
    check_published(run, report)
    for table, change in CHANGES.items():
        file = (survey.published / "warehouse.duckdb").resolve()
        file.chmod(0o600)
        with duckdb.connect(str(file)) as connection:
            connection.execute(change)
        with pytest.raises(FlowError, match=f"mart.{table} has . rows that were not sealed, and lacks 1"):
            check_published(run, report)
    with Ledger.open(run.home.ledger) as ledger:
        breaches = ledger.events(kinds=("breach",))
    assert ["is not what was sealed" in breach.detail["says"] for breach in breaches] == [True] * len(CHANGES)
    again = survey.read("select count(*) as rows from mart.promoter_metrics where nps > 100")
    assert again["rows"].tolist() == [0]
    check_published(run, report)  # the publication was renewed from the seal


def test_a_critical_check_stops_the_run_before_anything_is_sealed(tmp_path: Path) -> None:
    broken = ROWS + "".join("eleven,North\n" for _ in range(20))
    survey = Survey.written(tmp_path, broken, configuration=TEAMS)
    says = (
        r"answers.csv: score_is_readable failed on 20 of 220 records \(first: 201, .*\), from column 'score'; at most"
    )
    with pytest.raises(StoppedByCheckError, match=says) as met:
        survey.release()
    assert str(met.value.in_public()) == (
        "answers.csv is stopped by score_is_readable; nothing was sealed. See `zwerm check`."
    )
    assert list(Run.begin(survey.config).home.releases.iterdir()) == []


def test_an_answer_that_was_lost_on_the_way_stops_the_run(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    assert survey.release() is not None
    (tmp_path / "answers-late.csv").write_text(f"{ROWS}9,North\n", encoding="utf-8")
    with Run.begin(survey.config).store() as store:
        store.run("delete from core.responses where record_number = 7")
    with pytest.raises(StoppedByCheckError, match=r"records_add_up: not so: .* \(1 of 2\)"):
        survey.release(may_revise=True)


def test_a_scale_of_1_to_5_is_mapped_or_declared_or_refused(tmp_path: Path) -> None:
    rows = "score,team\n" + "".join(f"{1 + number % 5},{('North', 'South')[number % 2]}\n" for number in range(200))
    survey = Survey.written(tmp_path, rows, configuration=TEAMS)
    with pytest.raises(StoppedByCheckError, match=r"(?s)scale_is_used.*values = \{ … \}.*scale = \[0, 10\]"):
        survey.release()
    rehearsal = rehearse(Run.begin(survey.config), "guests")
    assert rehearsal.stops
    assert any(line.startswith("scale_is_used: not so in 2026-10.") for line in rehearsal.lines)
    mapped = TEAMS.replace(
        'score = "score"', 'score = { column = "score", values = { 1 = 0, 2 = 3, 3 = 6, 4 = 8, 5 = 10 } }'
    )
    again = Survey.written(tmp_path, rows, configuration=mapped)
    assert not rehearse(Run.begin(again.config), "guests").stops
    assert again.release() is not None


def test_neither_what_is_hidden_nor_what_waits_can_be_computed_from_the_checks_of_two_revisions(tmp_path: Path) -> None:
    broken = "eleven,North\n" * 3
    survey = Survey.written(tmp_path, ROWS + broken, configuration=TEAMS)
    assert survey.release() is not None
    late = "".join(f"{3 + number % 8},North\n" for number in range(30)) + "9,South\n2,South\n"  # two wait
    (tmp_path / "answers.csv").write_text(ROWS + broken + "twelve,South\n" + late, encoding="utf-8")
    assert survey.release(may_revise=True) is not None
    assert survey.read("select responses from mart.promoter_metrics where department_id = 'all' order by revision")[
        "responses"
    ].tolist() == [200, 230]
    for revision, counted in ((1, 200), (2, 230)):
        quality = survey.read(f"from mart.quality where revision = {revision}").set_index("rule")
        assert quality.loc[quality["kind"] == "rows", "base_count"].isna().all()
        assert quality.loc["quarantine_is_small", ["failed_count", "base_count"]].isna().all()
        assert quality.loc["record_is_readable", ["failed_count", "base_count"]].isna().all()
        assert quality.loc["score_is_readable", ["failed_count"]].isna().all()
        departments, wave, no_rows = 3, 1, 0
        assert set(quality["base_count"].dropna()) <= {counted, departments, wave, no_rows}
        assert set(quality["failed_count"].dropna()) == {0}
