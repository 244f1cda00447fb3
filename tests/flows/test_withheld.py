"""A wave that small groups keep from being shown is held in public, and what would narrow a hidden cell is not said."""

from pathlib import Path

import pytest

from flows.errors import HeldError
from flows.home import Home
from flows.releasing.recover import recover
from flows.run import Run
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

CONFIGURATION = """
[surveys.guests]
title = "Guests"
wave = { value = "2026-10" }
roles = { score = "nps", department = "place" }
"""
ROWS = "nps,place\n" + "9,Harbour\n" * 3 + "10,Quay\n" * 4


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return Survey.written(tmp_path, ROWS, configuration=CONFIGURATION)


def test_a_hold_by_disclosure_control_says_only_that_it_is_to_protect_small_groups(survey: Survey) -> None:
    with pytest.raises(HeldError, match=r"too few respondents, or respondents of one class only") as held:
        survey.release()
    kept = held.value.in_public()
    assert str(kept) == "guests 2026-10 is held to protect small groups"
    assert (held.value.exit_code, kept.exit_code) == (4, 4)
    index = (survey.published / "site" / "index.html").read_text()
    assert "to protect small groups" in index
    assert "October 2026" in index
    for narrowing in ("one class", "min_respondents", "Harbour", "Quay", "too few"):
        assert narrowing not in index
    with Ledger.open(Home(survey.folder).ledger) as ledger:
        assert "class" not in str(ledger.events())


def test_it_is_said_once_however_often_it_is_tried_and_no_more_once_the_wave_is_out(survey: Survey) -> None:
    for _ in range(2):
        with pytest.raises(HeldError):
            survey.release()
    with Ledger.open(Home(survey.folder).ledger) as ledger:
        assert len(ledger.events(kinds=("withheld",))) == 1
    run = Run.begin(survey.config)
    assert recover(run.home, run.settings) == []
    (survey.folder / "answers-more.csv").write_text(
        "nps,place\n" + "".join(f"{score},{place}\n" for score in (9, 8, 3) * 10 for place in ("Harbour", "Quay"))
    )
    report = survey.release()
    assert report is not None
    assert report.missing == ()
    assert "to protect small groups" not in (survey.published / "site" / "index.html").read_text()
