"""A backfill over four waves: a plan first, then only what is new or changed, at one moment, and nothing twice."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from flows.backfill import Plan
from flows.home import Home
from flows.orchestration.orchestrator import server
from flows.preparing.examination import Examination, Verdict
from flows.run import Run
from tests.flows.backfilling import worker
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

WAVES = ("2025-06", "2025-07", "2025-08", "2025-09")
EDITED = WAVES[0]
ENOUGH, TOO_FEW = ("Texel", WAVES[1], 24), ("Ports", WAVES[2], 4)
REASON = "Answers on paper came in."
SIZES = {"Texel": 40, "Vlieland": 25, "Ports": 30}
SCORE = 'score = "score"'
CONFIGURATION = f"""
[organisation]
name = "Waddenlijn"
[surveys.guests]
duplicates = "latest"
[surveys.guests.roles]
response_id = "id"
{SCORE}
responded_at = "at"
department = ["unit"]
"""
AUDIENCE = '[[audience]]\nfolder = "shares/all"\n'
pytestmark = pytest.mark.timeout(600)


@dataclass
class Story:
    """What each backfill said, and how things stood after it."""

    survey: Survey
    said: dict[str, Any] = field(default_factory=dict)
    states: dict[str, "State"] = field(default_factory=dict)

    def tell(self, name: str, said: dict[str, Any] | None) -> None:
        """Note what a backfill said and how things stand now."""
        self.said[name] = said
        self.states[name] = state(self.survey)


@dataclass(frozen=True)
class State:
    """How things stand."""

    sealed: dict[tuple[str, int], str]  # wave and revision: the release's id
    moments: int
    releases: pd.DataFrame
    metrics: pd.DataFrame

    def responses(self, wave: str, revision: int) -> dict[str, int]:
        """Per department how many scores a release counts."""
        return self._figures(wave, revision, "responses")

    def promoters(self, wave: str, revision: int) -> dict[str, int]:
        """Per department how many promoters a release counts."""
        return self._figures(wave, revision, "promoters")

    def _figures(self, wave: str, revision: int, column: str) -> dict[str, int]:
        chosen = self.metrics[(self.metrics["wave"] == wave) & (self.metrics["revision"] == revision)]
        return {row["department"]: int(row[column]) for row in chosen.to_dict("records")}


def state(survey: Survey) -> State:
    with Ledger.open(Run.begin(survey.config).home.ledger) as ledger:
        sealed = {(r.wave, r.revision): r.release_id for r in ledger.releases() if r.state != "withdrawn"}
        moments = len([moment for moment in ledger.moments() if moment.phase == "confirmed"])
    if not (survey.published / "current").is_symlink():
        return State(sealed, moments, pd.DataFrame(), pd.DataFrame())
    metrics = survey.read("from mart.promoter_metrics order by wave, revision, department_id")
    return State(sealed, moments, survey.read("from mart.releases order by wave, revision"), metrics)


def answers(rows: Sequence[tuple[str, str, int]], *, prefix: str) -> str:
    """A file with so many answers of each department and wave."""
    lines = ["id,unit,score,at"]
    lines += [f"{prefix}-{w}-{u}-{n},{u},{(n * 7 + 3) % 11},{w}-14" for u, w, size in rows for n in range(size)]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("backfill")
    rows = [(unit, wave, size) for wave in WAVES for unit, size in SIZES.items()]
    survey = Survey.written(folder, answers(rows, prefix="a"), configuration=CONFIGURATION, more=AUDIENCE)
    told = Story(survey)
    with server(Home(folder).prepare()):  # both processes that are started use it
        tell(told, folder)
    return told


def tell(told: Story, folder: Path) -> None:
    """One backfill after the other."""
    survey = told.survey
    first, last = WAVES[0], WAVES[-1]
    with worker(survey.config) as process:
        told.tell("planned", process.backfill(first, last, dry_run=True))
        told.tell("killed", process.backfill(first, last, dies_at_seal=3))
    with worker(survey.config) as process:
        told.tell("resumed", process.backfill(first, last))
        (folder / "answers-late.csv").write_text(answers([ENOUGH, TOO_FEW], prefix="late"))
        told.tell("late planned", process.backfill(first, last, dry_run=True))
        told.tell("late", process.backfill(first, last, reason=REASON))
        told.tell("late again", process.backfill(first, last))
        (folder / "answers-later.csv").write_text(answers([("Ports", WAVES[2], 10)], prefix="later"))
        told.tell("later", process.backfill(first, last))
        edit = f"case when id = 'a-{EDITED}-Texel-2' then '10' else score end"  # it said 6
        text = survey.config.read_text().replace(SCORE, f'score = {{ sql = "{edit}" }}')
        survey.config.write_text(text)
        told.tell("edited", process.backfill(first, last))
        told.tell("edited again", process.backfill(first, last))


def plan(story: Story, name: str) -> dict[str, str]:
    """What was planned, by wave."""
    return dict(one["says"].split(": ", 1) for one in story.said[name]["plan"])


def test_a_dry_run_tells_what_is_new_and_changes_nothing(story: Story) -> None:
    assert plan(story, "planned") == dict.fromkeys(WAVES, "95 answers, not released yet: its first release")
    assert story.states["planned"].sealed == {}


def test_interrupted_between_waves_it_resumes_and_the_releases_are_the_same(story: Story) -> None:
    assert story.said["killed"] is None
    before = story.states["killed"]
    assert set(before.sealed) == {(WAVES[0], 1), (WAVES[1], 1)}
    assert before.moments == 0
    assert before.metrics.empty
    assert before.sealed.items() <= story.states["resumed"].sealed.items()


def test_all_waves_open_at_one_moment_each_measured_against_the_one_before(story: Story) -> None:
    after = story.states["resumed"]
    assert set(after.sealed) == {(wave, 1) for wave in WAVES}
    assert after.moments == 1
    assert sorted(story.said["resumed"]["releases"]) == sorted(after.sealed.values())
    assert after.releases["released_at"].nunique() == 1
    assert after.releases["skew_ms"].nunique() == 1
    whole = after.metrics[after.metrics["department_id"] == "all"]
    assert list(whole["previous_wave"].fillna("")) == ["", *WAVES[:-1]]
    ids = [after.sealed[wave, 1] for wave in WAVES]
    assert list(whole["previous_release_id"].fillna("")) == ["", *ids[:-1]]


def test_late_answers_are_planned_and_a_dry_run_of_them_changes_nothing(story: Story) -> None:
    planned = plan(story, "late planned")
    assert "revision 2" in planned[WAVES[1]]
    assert "nothing of what changed may enter yet" in planned[WAVES[2]]
    facts = {one["wave"]: one for one in story.said["late planned"]["plan"]}
    assert [facts[wave]["state"] for wave in WAVES] == ["unchanged", "changed", "waiting", "unchanged"]
    assert [facts[wave]["revision"] for wave in WAVES] == [None, 2, None, None]
    assert (facts[WAVES[1]]["entering"], facts[WAVES[2]]["waiting"]) == (ENOUGH[2], TOO_FEW[2])
    assert facts[WAVES[0]]["rows"] == 95
    assert [planned[wave] for wave in (WAVES[0], WAVES[3])] == ["95 answers, released and unchanged"] * 2
    assert story.states["late planned"].sealed == story.states["resumed"].sealed
    pd.testing.assert_frame_equal(story.states["late planned"].releases, story.states["resumed"].releases)


def test_enough_late_answers_make_a_revision_of_their_wave_alone_with_its_reason(story: Story) -> None:
    before, after = story.states["resumed"], story.states["late"]
    assert after.sealed.keys() - before.sealed.keys() == {(WAVES[1], 2)}
    assert story.said["late"]["releases"] == [after.sealed[WAVES[1], 2]]
    assert after.releases["reason"].dropna().tolist() == [REASON]


def test_a_revision_s_figures_are_the_earlier_ones_and_those_who_came(story: Story) -> None:
    after = story.states["late"]
    unit, wave, count = ENOUGH
    came = sum((n * 7 + 3) % 11 >= 9 for n in range(count))
    for figures, more in ((after.responses, count), (after.promoters, came)):
        first, second = figures(wave, 1), figures(wave, 2)
        assert second == {**first, unit: first[unit] + more, "Waddenlijn": first["Waddenlijn"] + more}
    assert after.responses(TOO_FEW[1], 1)["Ports"] == 30


def test_too_few_late_answers_wait_and_the_operator_is_told(story: Story) -> None:
    _, wave, count = TOO_FEW
    assert (wave, 2) not in story.states["late"].sealed
    assert plan(story, "late")[wave].endswith(f"; {count} wait until their region has enough of them")
    lines = story.said["late"]["lines"]
    told = lines.index(f"guests {wave} is released; nothing of what changed may enter yet.")
    assert lines[told + 1] == f"  {count} answers wait until their region has enough of them."


def test_a_second_backfill_does_nothing_and_says_so(story: Story) -> None:
    for name, before in (("late again", "late"), ("edited again", "edited")):
        assert story.said[name]["releases"] == []
        assert {one["state"] for one in story.said[name]["plan"]} == {"unchanged"}
        assert story.states[name].sealed == story.states[before].sealed
        assert story.states[name].moments == story.states[before].moments


def test_after_a_second_backfill_those_who_wait_are_told_still(story: Story) -> None:
    _, wave, count = TOO_FEW
    planned = plan(story, "late again")
    assert planned[wave].endswith(f"released and unchanged; {count} wait until their region has enough of them")
    assert all("wait" not in planned[other] for other in WAVES if other != wave)
    lines = story.said["late again"]["lines"]
    told = lines.index(f"guests {wave} is released and unchanged: nothing to do.")
    assert lines[told + 1] == f"  {count} answers wait until their region has enough of them."


def test_those_who_waited_enter_together_once_they_are_enough(story: Story) -> None:
    after = story.states["later"]
    assert after.sealed.keys() - story.states["late"].sealed.keys() == {(TOO_FEW[1], 2)}
    assert after.responses(TOO_FEW[1], 2)["Ports"] == 30 + 4 + 10


def test_a_mapping_that_changes_one_answer_waits(story: Story) -> None:
    planned = plan(story, "edited")
    assert "nothing of what changed may enter yet" in planned[EDITED]
    assert all("released and unchanged" in planned[wave] for wave in WAVES if wave != EDITED)
    assert story.states["edited"].sealed == story.states["later"].sealed
    assert story.said["edited"]["releases"] == []


def test_what_prefect_keeps_of_a_plan_has_no_count() -> None:
    touched = pd.DataFrame([{"region": "all", "added": 12, "removed": 0, "edited": 0, "waiting_added": 4}])
    examined = [Examination("guests", "2025-06", v, None, None, "", 95, touched) for v in get_args(Verdict)]
    made = Plan(tuple(examined))
    assert [re.findall(r"\d+", line.removeprefix("2025-06: ")) for line in made.public] == [[], [], ["1"], []]
    assert made.public[2] == "2025-06: changed since its release: revision 1"
    assert all("95 answers" in line for line in made.lines)


def test_earlier_revisions_stay_as_they_were(story: Story) -> None:
    last = story.states["edited again"].metrics
    first = story.states["resumed"].metrics
    figures: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: (  # noqa: E731
        frame[frame["revision"] == 1].drop(columns="is_latest").reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(figures(last), figures(first))
