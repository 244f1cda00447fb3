"""What makes a revision: answers, and the way in which figures are made of them; the second look does nothing."""

from pathlib import Path

from flows.backfill import planned
from flows.preparing.examination import Examination
from flows.preparing.steps import prepare
from flows.run import Run
from tests.flows.whole import Survey
from transforms.method import method_hash

CONFIGURATION = """
[surveys.guests]
wave = {{ value = "2026-10" }}
superpromoters = {{ told_min = {told_min} }}
[surveys.guests.roles]
score = "score"
told_count = "told"
acted_count = "acted"
"""
ROWS = "score,told,acted\n" + "".join(f"{3 + n % 8},{n % 3},{min(n % 2, n % 3)}\n" for n in range(200))


def written(folder: Path, *, told_min: int = 1, rows: str = ROWS) -> Survey:
    return Survey.written(folder, rows, configuration=CONFIGURATION.format(told_min=told_min))


def examined(survey: Survey) -> Examination:
    """What a run without --revise finds."""
    return prepare(Run.begin(survey.config), "guests").examination


def test_a_changed_threshold_makes_a_revision_of_the_same_answers_and_the_second_run_nothing(tmp_path: Path) -> None:
    survey = written(tmp_path)
    assert survey.release() is not None
    assert examined(survey).verdict == "unchanged"
    survey = written(tmp_path, told_min=2)
    found = examined(survey)
    assert (found.verdict, found.entering(), found.is_computed_anew) == ("changed", 0, True)
    assert found.reason == "The figures are computed in another way, of the same answers."
    assert planned(found) == (
        "2026-10: 200 answers, the same answers, computed in another way since its release: revision 2"
    )
    assert survey.release(may_revise=True) is not None
    assert examined(survey).verdict == "unchanged"
    first, second = released(survey)
    assert (first["responses"], second["responses"]) == (200, 200)
    assert first["superpromoters"] > second["superpromoters"]


def test_answers_that_wait_go_on_waiting_while_the_method_changes(tmp_path: Path) -> None:
    survey = written(tmp_path)
    assert survey.release() is not None
    survey = written(tmp_path, told_min=2, rows=ROWS + "9,2,1\n2,0,0\n")
    found = examined(survey)
    assert (found.verdict, found.entering(), found.waiting()) == ("changed", 0, 2)
    assert survey.release(may_revise=True) is not None
    assert [row["responses"] for row in released(survey)] == [200, 200]
    assert examined(survey).verdict == "unchanged"


def test_the_method_is_its_thresholds_and_the_code_that_makes_figures() -> None:
    one = method_hash(told_min=1, definition="2026-1")
    assert one == method_hash(told_min=1, definition="2026-1")
    others = [
        method_hash(told_min=2, definition="2026-1"),
        method_hash(told_min=1, definition="2026-2"),
        method_hash(told_min=1, definition="2026-1", interval="score"),
        method_hash(told_min=1, definition="2026-1", comments={"quotes": True}),
        method_hash(told_min=1, definition="2026-1", margin=40.0, currency="EUR"),
    ]
    assert len({one, *others}) == 6


def released(survey: Survey) -> list[dict[str, int]]:
    """The whole survey's counts in each revision."""
    columns = "revision, responses, superpromoters"
    told = survey.read(f"select {columns} from mart.promoter_metrics where department_id = 'all' order by revision")
    return [{str(name): int(number) for name, number in row.items()} for row in told.to_dict("records")]
