"""One wave released three times the real way, each with late answers, attacked by differencing what is published."""

from collections.abc import Iterator
from itertools import product

import pytest

from flows.preparing.steps import prepare
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.attack.judge import findings
from tests.attack.organisations import SCORES, Answer
from tests.attack.outsider import Counts, Outsider
from tests.attack.units import Released, Unit
from tests.flows.whole import Survey

K = 5
CONFIGURATION = f"""
[surveys.guests]
wave = {{ value = "2026-10" }}
min_respondents = {K}
[surveys.guests.roles]
score = "score"
department = "team"
respondent_id = "guest"
response_id = "guest"
"""
FIRST = {"North": "9 10 8 7 3 9 6 10 7 9 2 8", "South": "9 9 7 5 10 8 0 9 7 8", "East": "9 7 3", "West": "10 6"}
# West's late one waits until five have come with it, of two classes; North's are enough at once.
LATE = ({"North": "9 8 3 10 7", "West": "3"}, {"West": "9 9 7 10", "South": "6"}, {"South": "9 10 7 3"})
MATERIAL = {"North": "3"}


def lines(said: dict[str, str], state: int) -> str:
    return "".join(
        f"{team}{state}-{place},{team},{score}\n"
        for team, scores in said.items()
        for place, score in enumerate(scores.split())
    )


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survey]:
    """The wave, three revisions of it, and one that an operator asked for with a single answer in it."""
    rows = "guest,team,score\n"
    survey = Survey.written(tmp_path_factory.mktemp("revised"), rows, configuration=CONFIGURATION)
    for state, said in enumerate((FIRST, *LATE, MATERIAL)):
        rows += lines(said, state)
        (survey.folder / "answers.csv").write_text(rows, encoding="utf-8")
        run = Run.begin(survey.config)
        made = prepare(run, "guests", may_revise=True, reason="late", material=said is MATERIAL, with_pages=False)
        for moment in stage_together(run, [made]).moments:
            open_moment(run.home, run.settings, moment.moment_id)
    yield survey


def unit(survey: Survey, *, revisions: int) -> Unit:
    """What is published of so many revisions; and behind it, for the judge alone, whose answers they count."""
    found = Unit("guests")
    metrics = survey.read(
        "select m.* replace (if(m.department_id = 'all', 'all', m.department) as department_id,"
        " if(m.parent_id is null, null, 'all') as parent_id)"
        " from mart.promoter_metrics m join mart.departments d using (release_id, department_id)"
        " order by m.revision, d.position"
    ).astype({"parent_id": object})
    for revision in range(1, revisions + 1):
        own = metrics[metrics["revision"] == revision].reset_index(drop=True)
        own["parent_id"] = own["parent_id"].where(own["parent_id"].notna(), None)
        found.released.append(Released(own, own, counted(survey, own["release_id"].iloc[0], revision)))
    return found


def counted(survey: Survey, release_id: str, revision: int) -> list[Answer]:
    where = (
        "join core.counted using (batch, record_number) where release_id = $id" if revision > 1 else "where batch = 1"
    )
    with Run.begin(survey.config).store() as store:
        rows = store.rows(
            f"select response_key, department_key, score from core.responses {where}",
            {"id": release_id} if revision > 1 else {},
        )
    kind_of = {score: kind for kind, scores in SCORES.items() for score in range(min(scores), max(scores) + 1)}
    return [Answer(key, cell, kind_of[score], place) for place, (key, cell, score) in enumerate(rows)]


def differences(one: Unit) -> list[Counts]:
    """What came into each region between any two revisions, to someone who knows that nobody left."""
    residuals = Outsider([released.metrics for released in one.released]).residuals
    found = []
    for then, now in product(residuals, residuals):
        if then.revision < now.revision and then.cells == now.cells:
            promoters, passives, detractors = (b - a for a, b in zip(then.counts, now.counts, strict=True))
            found.append((promoters, passives, detractors))
    return [counts for counts in found if any(counts)]


def is_few(counts: Counts) -> bool:
    return sum(counts) < K or sum(count > 0 for count in counts) < 2


def test_three_revisions_of_a_wave_give_no_late_answer_away(survey: Survey) -> None:
    one = unit(survey, revisions=4)
    whole = [int(released.metrics["responses"].iloc[0]) for released in one.released]
    assert whole == [27, 32, 37, 42]
    assert findings(one, K) == []
    assert len(differences(one)) > 6
    assert [counts for counts in differences(one) if is_few(counts)] == []


def test_what_an_operator_discloses_is_found(survey: Survey) -> None:
    assert (0, 0, 1) in [counts for counts in differences(unit(survey, revisions=5)) if is_few(counts)]
