"""Waves beside each other, the whole way: who answered both, the same wave a year before, breaks, and a revision."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.preparing.comparing import method_of
from flows.preparing.seal import stands_on
from flows.run import Run
from tests.flows.paper.check import differing
from tests.flows.paper.mart import Mart
from tests.flows.whole import Survey

WAVES = ("2025-10", "2026-08", "2026-09", "2026-10")
CONFIGURATION = """
[surveys.guests]
min_respondents = 10
breaks = [{ wave = "2026-09", reason = { en = "New questions.", nl = "Nieuwe vragen." } }]
[surveys.guests.roles]
score = "score"
department = "team"
respondent_id = "guest"
responded_at = "day"
"""


def answers(wave: str, *, seed: int, more: int = 0) -> str:
    """North: the same hundred guests in every wave; South: eighty of its own each time; East and West: too few."""
    rng = np.random.default_rng(seed)
    moods = np.random.default_rng(1).integers(4, 11, 100)
    north = [(f"n{i}", "North", min(10, int(mood) + int(rng.integers(0, 2)))) for i, mood in enumerate(moods)]
    south = [(f"{wave}-s{i}", "South", int(rng.integers(3, 11))) for i in range(80 + more)]
    east = [(f"{wave}-e{i}", ("East", "West")[i % 2], int(rng.integers(3, 11))) for i in range(16)]
    return "".join(f"{guest},{team},{score},{wave}-15 12:00\n" for guest, team, score in (*north, *south, *east))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Four waves; then a revision of the first, and after it one of the last, whose changes stay as they were."""
    rows = {wave: answers(wave, seed=seed) for seed, wave in enumerate(WAVES)}
    head = "guest,team,score,day\n"
    survey = Survey.written(tmp_path_factory.mktemp("guests"), head, configuration=CONFIGURATION)
    for place, wave in enumerate(WAVES):
        (survey.folder / "answers.csv").write_text(head + "".join(rows[w] for w in WAVES[: place + 1]))
        if wave == WAVES[-1]:
            mapped = CONFIGURATION.replace('score = "score"', 'score = { column = "score", scale = [1, 10] }')
            survey.config.write_text(survey.config.read_text().replace(CONFIGURATION.strip(), mapped.strip()))
        assert survey.release(wave) is not None
    for wave in (WAVES[0], WAVES[-1]):
        seed = WAVES.index(wave)
        rows[wave] = answers(wave, seed=seed, more=30)
        (survey.folder / "answers.csv").write_text(head + "".join(rows.values()))
        assert survey.release(wave, may_revise=True) is not None
    return survey


def table(survey: Survey, name: str, *, wave: str = WAVES[-1], revision: int = 1) -> pd.DataFrame:
    """A published table of one release, by department."""
    rows = survey.read(f"select * from mart.{name} where wave = '{wave}' and revision = {revision}")
    return rows.set_index("department", drop=False)


def test_who_answered_both_waves_makes_the_change_of_his_department_paired_and_of_those_above_overlapping(
    released: Survey,
) -> None:
    rows = table(released, "changes")
    previous = rows[rows["basis"] == "previous"]
    assert previous["method"].to_dict() == {
        "Our organisation": "overlapping",
        "North": "paired",
        "South": "independent",
    }
    width = previous["nps_change_high"] - previous["nps_change_low"]
    assert width["North"] < 0.6 * width["South"]


def test_each_wave_is_held_against_the_one_before_and_against_the_same_a_year_before(released: Survey) -> None:
    rows = table(released, "changes")
    assert set(zip(rows["basis"], rows["compared_wave"], strict=True)) == {
        ("previous", "2026-09"),
        ("year_before", "2025-10"),
    }
    assert set(table(released, "changes", wave="2026-08")["basis"]) == {"previous"}
    assert table(released, "changes", wave=WAVES[0]).empty


def test_the_change_beside_the_score_is_the_one_against_the_previous_wave(released: Survey) -> None:
    metrics = table(released, "promoter_metrics").query("status == 'published'")
    rows = table(released, "changes").query("basis == 'previous'").loc[metrics.index]
    for name, beside in (
        *((name, name) for name in ("nps_change", "nps_change_low", "nps_change_high")),
        *(("p_value", "change_p_value"), ("compared_release_id", "previous_release_id")),
    ):
        assert rows[name].tolist() == metrics[beside].tolist()


def test_a_revision_is_held_against_what_its_first_release_was_although_that_has_been_revised_too(
    released: Survey,
) -> None:
    first, second = (table(released, "changes", revision=revision) for revision in (1, 2))
    assert first["compared_release_id"].tolist() == second["compared_release_id"].tolist()
    assert (
        first.query("basis == 'year_before'")["nps_change"]["South"]
        != (second.query("basis == 'year_before'")["nps_change"]["South"])
    )


def test_breaks_that_were_written_down_and_that_releases_recorded_cut_the_course(released: Survey) -> None:
    rows = table(released, "trends").query("department == 'North'")
    assert rows["trend_wave"].tolist() == list(WAVES)
    assert rows["is_break"].tolist() == [False, False, True, True]
    assert rows["break_reason_nl"].tolist()[2:] == ["Nieuwe vragen.", "De score wordt anders gevraagd of gelezen."]
    assert rows["nps_smooth"].isna().all()  # no part has three waves
    document = json.loads(_sealed(released).joinpath("release.json").read_text(encoding="utf-8"))
    told = [row["break_reason_en"] for row in document["trends"] if row["department"] == "North"]
    assert told == [None, None, "New questions.", "The score is asked or read in another way."]


def test_departments_are_compared_with_the_rest_and_what_is_hidden_is_nowhere(released: Survey) -> None:
    rows = table(released, "comparisons")
    assert rows.index.tolist() == ["North", "South"]
    assert rows["rest_difference"].notna().all()
    for name in ("comparisons", "changes", "trends"):
        assert "East" not in set(released.read(f"select department from mart.{name}")["department"])


def test_each_figure_on_its_pages_is_that_of_its_column_and_not_that_of_another_revision(released: Survey) -> None:
    mart = Mart(released)
    for wave, revision in ((WAVES[0], 1), (WAVES[0], 2), (WAVES[2], 1), (WAVES[3], 1), (WAVES[3], 2)):
        assert differing(mart, f"guests/{wave}/r{revision}") == []
    assert differing(mart, "guests/2026-10/r2", revision=1)


def test_the_method_that_a_release_records_reads_back_as_it_was(released: Survey) -> None:
    settings = Run.begin(released.config).survey("guests")
    manifest = json.loads(_sealed(released).joinpath("manifest.json").read_text(encoding="utf-8"))
    assert manifest["method"] == method_of(settings)


def test_a_release_names_all_those_whose_figures_stand_in_it(released: Survey) -> None:
    earlier = released.read(f"select release_id, wave, revision from mart.releases where wave < '{WAVES[-1]}'")
    assert stands_on(_sealed(released)) == set(earlier.query("revision == 1")["release_id"])


def _sealed(survey: Survey) -> Path:
    release_id = table(survey, "promoter_metrics")["release_id"].iloc[0]
    return Run.begin(survey.config).home.releases / str(release_id)
