"""Checked before it is published, and once again after: what everyone reads is what was sealed."""

from pathlib import Path

import duckdb
import pytest

from flows.checking import check_published
from flows.errors import FlowError, StoppedByCheckError
from flows.run import Run
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

CONFIGURATION = """
[surveys.guests]
wave = { value = "2026-10" }
[surveys.guests.roles]
score = "score"
department = "team"
"""
ROWS = "score,team\n" + "".join(f"{3 + number % 8},{('North', 'South')[number % 2]}\n" for number in range(200))


def test_what_is_published_is_checked_again_and_a_change_is_a_breach(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=CONFIGURATION)
    report = survey.release()
    assert report is not None
    run = Run.begin(survey.config)
    check_published(run, report)
    file = (survey.published / "warehouse.duckdb").resolve()
    file.chmod(0o600)
    with duckdb.connect(str(file)) as connection:
        connection.execute("update mart.promoter_metrics set nps = nps + 1 where department_id = 'all'")
    with pytest.raises(FlowError, match="published_is_as_sealed failed on 1 rows"):
        check_published(run, report)
    with Ledger.open(run.home.ledger) as ledger:
        (breach,) = ledger.events(kinds=("breach",))
    assert "is not what was sealed" in breach.detail["says"]
    again = survey.read("select count(*) as rows from mart.promoter_metrics where nps > 100")
    assert again["rows"].tolist() == [0]
    check_published(run, report)  # the publication was renewed from the seal


def test_a_critical_check_stops_the_run_before_anything_is_sealed(tmp_path: Path) -> None:
    broken = ROWS + "".join("eleven,North\n" for _ in range(20))
    survey = Survey.written(tmp_path, broken, configuration=CONFIGURATION)
    with pytest.raises(StoppedByCheckError, match=r"answers.csv: score_is_readable failed on 20 of 220 records"):
        survey.release()
    assert list(Run.begin(survey.config).home.releases.iterdir()) == []
