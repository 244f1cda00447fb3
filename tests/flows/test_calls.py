"""What a call says before it does anything, and what it records of a decision."""

import json
from pathlib import Path

import pytest

from flows.command.calls import release, run
from flows.command.status.one_release import held
from flows.errors import ConfigurationError, HeldError
from flows.preparing.steps import prepare
from flows.run import Run
from tests.flows.test_checking import ROWS
from tests.flows.whole import TEAMS, Survey
from warehouse.ledger import Ledger

LATE = ROWS + "2,North\n10,North\n"


def call(config: Path, **said: object) -> dict[str, object]:
    given = {"survey": None, "wave": None, "at": None, "revise": False, "reason": None, "material": False}
    return run(config=config, quiet=True, **{**given, **said})  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["revise", "material"])
def test_a_revision_says_why(tmp_path: Path, option: str) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    with pytest.raises(ConfigurationError, match=f"--{option} needs a reason"):
        call(survey.config, **{option: True})


def test_a_time_that_has_passed_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    with pytest.raises(ConfigurationError, match="has passed"):
        call(survey.config, at="2020-01-01T09:00")
    assert list(Run.begin(survey.config).home.landing.iterdir()) == []


def test_a_retry_with_nothing_held_says_so_at_once(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    said = release(config=survey.config, release=None, retry=True, withdraw=False, reason=None, at=None, quiet=True)
    assert said["lines"] == ["Nothing is held."]


def test_who_lets_all_late_answers_in_is_recorded_and_everyone_reads_it(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS)
    assert survey.release() is not None
    (tmp_path / "answers.csv").write_text(LATE, encoding="utf-8")
    begun = Run.begin(survey.config)
    assert prepare(begun, "guests", may_revise=True, reason="paper").sealed is None  # two answers wait
    prepared = prepare(begun, "guests", may_revise=True, reason="A court ordered it.", material=True)
    assert prepared.sealed is not None
    document = json.loads((prepared.sealed.folder / "release.json").read_text(encoding="utf-8"))
    assert document["is_material"]
    page = (prepared.sealed.folder / "pages" / "en" / "index.html").read_text(encoding="utf-8")
    assert "A court ordered it. All late answers were let in at once" in page
    with Ledger.open(begun.home.ledger) as ledger:
        (event,) = ledger.events(kinds=("material",))
    assert event.release_ids == (prepared.sealed.release_id,)


def test_a_machine_is_told_what_is_held_why_and_who_was_not_ready(tmp_path: Path) -> None:
    hook = '[[audience]]\nwebhook = { url = "http://127.0.0.1:9/t0ken" }\n'
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS, more=hook)
    with pytest.raises(HeldError):
        survey.release()
    (one,) = held(Run.begin(survey.config))
    assert (one["survey"], one["wave"], one["revision"]) == ("guests", "2026-10", 1)
    (refused,) = one["refused"]
    assert (refused["channel"], "refuses connections" in refused["reason"]) == ("webhook", True)
    assert "not ready" in one["stated_reason"]
    assert "--retry" in one["next"][0]
    assert "t0ken" not in json.dumps(one)


def test_a_mistyped_department_of_the_audience_is_told_before_its_release_is_staged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipients = '[[audience]]\nfolder = "a"\n[[audience]]\ndepartment = ["Norht"]\nfolder = "b"\n'
    survey = Survey.written(tmp_path, ROWS, configuration=TEAMS, more=recipients)
    assert prepare(Run.begin(survey.config), "guests", with_pages=False).sealed is not None
    assert (
        "a recipient is of Norht, which is not among the departments; did you mean ['North']?"
        in capsys.readouterr().err
    )
