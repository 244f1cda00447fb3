"""The whole way of ratings and weights: the demo's truth is found again; margins are met, or the run says why not."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows.demo.answers import draw_wave, true_scores
from flows.demo.generate import write_configuration, write_surveys
from flows.demo.organisation import DEPARTMENTS, WAVES, true_values
from flows.demo.ratings import ASPECTS, true_importances
from flows.errors import ConfigurationError
from flows.preparing.seal import read_table
from flows.preparing.steps import prepare
from flows.preparing.valuing import driver_labels
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.flows.whole import Survey
from transforms.johnson import bootstrap

Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names
CONFIGURATION = """
[surveys.guests]
wave = {{ value = "2026-10" }}
[surveys.guests.roles]
score = "score"
department = "place"
segments = {{ ticket = "ticket" }}
{roles}
{weighting}
"""
MARGINS = '[surveys.guests.weighting]\nmargins = { ticket = { "day" = 0.5, "stay" = 0.5 } }'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    """The drivers of the demo's last wave."""
    folder = tmp_path_factory.mktemp("demo")
    write_surveys(folder)
    run = Run.begin(write_configuration(folder))
    sealed = prepare(run, "passengers", WAVES[-1], with_pages=False).sealed
    assert sealed is not None
    return read_table(sealed.folder, "drivers").set_index(["department_id", "driver"], drop=False)


def _truth(promoter: float, detractor: float) -> dict[str, float]:
    """The true importances where these are the true rates."""
    return true_importances(true_scores(promoter, detractor))


def test_the_demo_s_true_order_is_found_again(demo: Frame) -> None:
    rates: Frame = true_values().set_index(["wave", "department"]).loc[(WAVES[-1], "Waddenlijn")]
    truth, whole = _truth(rates["promoter_rate"], rates["detractor_rate"]), demo.loc["all"]
    assert list(whole.sort_values("importance", ascending=False)["driver"]) == sorted(truth, key=lambda k: -truth[k])
    assert (whole["importance"] - whole["driver"].map(truth)).abs().max() < 0.06
    assert list(whole["driver"]) == list(truth)


def test_intervals_hold_what_is_true_of_each_department_about_as_often_as_they_say() -> None:
    """Over the departments of all waves whose answers are their own: 95 of 100 by what they say."""
    held: list[bool] = []
    for wave in WAVES:
        drawn = draw_wave(wave)
        for department in DEPARTMENTS:
            rows = [
                [row["aanbeveling"], *(row[aspect.column] for aspect in ASPECTS)]
                for row in drawn
                if tuple(level for level in (row["onderdeel"], row["afdeling"]) if level) == department.path
            ]
            known = [row for row in rows if all(isinstance(cell, int) for cell in row) and row[0] <= 10]
            if len(known) >= 100:
                opinion = department.truth(wave)
                truth = np.array(list(_truth(opinion.promoter, opinion.detractor).values()))
                draws = bootstrap(np.array(known, dtype=float), seed=f"{wave}|{department.english}")
                low, high = np.quantile(draws, [0.025, 0.975], axis=0)
                held += list((low <= truth) & (truth <= high))
    assert len(held) >= 150
    assert np.mean(held) > 0.89


def test_the_demo_has_a_strength_and_something_that_would_move_passives(demo: Frame) -> None:
    kinds = demo.loc["all", "kind"]
    assert kinds["crew"] in ("strength", "both")
    assert kinds["punctuality"] == "lever"
    assert kinds[["price", "cleanliness", "food"]].isna().all()


def test_drivers_are_shown_of_departments_with_enough_ratings_alone_by_the_names_that_readers_know(demo: Frame) -> None:
    assert 5 < demo["department_id"].nunique() < 15
    assert (demo["responses"] >= 50).all()
    assert set(demo["label"]) == {"Bemanning", "Op tijd varen", "Prijs", "Netheid aan boord", "Eten en drinken"}
    assert set(demo["rating_passives"].dropna() * 10 % 1) <= {0.0}


def written(folder: Path, *, weighting: str = MARGINS, roles: str = "", rows: str | None = None) -> Survey:
    configuration = CONFIGURATION.format(roles=roles, weighting=weighting)
    return Survey.written(folder, rows or answers(), configuration=configuration)


def answers(count: int = 400, *, tickets: tuple[str, ...] = ("day", "stay", "stay", "stay")) -> str:
    """Day trippers are a quarter of those who answer, and content."""
    lines = [
        f"{9 if ticket == 'day' else 3 + n % 8},{('Ships', 'Ports')[n % 3 == 0]},{ticket},{1 + n % 5}"
        for n in range(count)
        for ticket in [tickets[n % len(tickets)]]
    ]
    return "\n".join(["score,place,ticket,crew", *lines]) + "\n"


def metrics(survey: Survey, *, may_revise: bool = False) -> Frame:
    prepared = prepare(Run.begin(survey.config), "guests", may_revise=may_revise, with_pages=False)
    assert prepared.sealed is not None
    return read_table(prepared.sealed.folder, "promoter_metrics").set_index("department_id")


def test_answers_are_weighted_to_the_margins_beside_the_unweighted_figures(tmp_path: Path) -> None:
    whole = metrics(written(tmp_path)).loc["all"]
    scores = np.array([3 + n % 8 for n in range(400) if n % 4])
    stay = 100 * float(np.mean(np.where(scores >= 9, 1, np.where(scores <= 6, -1, 0))))
    assert whole["nps"] == pytest.approx(0.25 * 100 + 0.75 * stay, abs=1e-6)
    assert whole["nps_weighted"] == pytest.approx(0.5 * 100 + 0.5 * stay, abs=0.051)
    assert whole["design_effect"] == pytest.approx(400 * (100 * 2**2 + 300 * (2 / 3) ** 2) / 400**2, abs=0.0051)
    assert whole["effective_responses"] == 300


SAMPLED = 'weight = "crew"\nstratum = "ticket"\ncluster = { sql = "concat(crew, score)" }'


def test_strata_and_clusters_make_the_weighted_figures_as_sure_as_the_sample_was_drawn(tmp_path: Path) -> None:
    """By hand, over the whole's clusters within its strata; of them only keyed hashes are kept."""
    survey = written(tmp_path, weighting="", roles=SAMPLED)
    found = metrics(survey)
    rows = pd.read_csv(io.StringIO(answers())).assign(s=lambda d: (d["score"] >= 9) * 1.0 - (d["score"] <= 6))
    clusters = [rows["ticket"], rows["crew"].astype(str) + rows["score"].astype(str)]
    for department, inside in (("Our organisation", rows["place"].notna()), ("Ships", rows["place"] == "Ships")):
        row, w = found[found["department"] == department].iloc[0], rows["crew"].where(inside, 0.0)
        mean = (w * rows["s"]).sum() / w.sum()
        sums = (w * (rows["s"] - mean) / w.sum()).groupby(clusters).sum()
        by = sums.groupby(level=0)
        n = by.transform("size")
        alone = (sums[n == 1] ** 2).sum()
        variance = alone + (n / (n - 1) * (sums - by.transform("mean")) ** 2)[n > 1].sum()
        p, d = ((w * (rows["s"] == sign)).sum() / w.sum() for sign in (1, -1))
        assert row["nps_weighted"] == pytest.approx(100 * mean, abs=0.051)
        assert row["nps_weighted_se"] == pytest.approx(100 * variance**0.5, abs=0.051)
        assert row["effective_responses"] == round((p + d - (p - d) ** 2) / variance)
        assert row["nps_weighted_low"] < row["nps_weighted"] < row["nps_weighted_high"]
    with Run.begin(survey.config).store() as store:
        kept = store.rows("select count(distinct stratum_key), count(distinct cluster_key) from core.responses")
    assert kept == [(2, clusters[1].nunique())]
    (document,) = (tmp_path / "releases").glob("*/release.json")
    told = json.loads(document.read_bytes())
    del told["segments"]  # the same column is mapped as one, and shown there
    assert "stay" not in json.dumps(told)


def test_strata_that_are_mapped_later_make_a_revision_and_without_weights_are_refused(tmp_path: Path) -> None:
    survey = written(tmp_path, weighting="", roles='weight = "crew"')
    before = metrics(survey)
    assert before["nps_weighted_se"].isna().all()
    survey.release()
    survey = written(tmp_path, weighting="", roles='weight = "crew"\nstratum = "ticket"')
    after = metrics(survey, may_revise=True)
    assert after["nps_weighted_se"].notna().all()
    assert after.loc["all", "design_effect"] < before.loc["all", "design_effect"]
    with pytest.raises(ConfigurationError, match=r"need roles.weight or weighting; .* weight = { sql = \"1\" }"):
        metrics(written(tmp_path, weighting="", roles='cluster = "ticket"'))


def test_without_margins_nothing_is_weighted_and_without_drivers_nothing_is_valued(tmp_path: Path) -> None:
    survey = written(tmp_path, weighting="")
    prepared = prepare(Run.begin(survey.config), "guests", with_pages=False)
    assert prepared.sealed is not None
    assert read_table(prepared.sealed.folder, "promoter_metrics")["nps_weighted"].isna().all()
    assert read_table(prepared.sealed.folder, "drivers").empty


@pytest.mark.parametrize(
    ("tickets", "says"),
    [(("day",), "'stay' has no answers"), (("day", "stay", "season"), "does not know 'season'")],
)
def test_answers_that_do_not_fit_a_margin_stop_the_run_with_what_to_mend_and_tell_nobody_else(
    tmp_path: Path, tickets: tuple[str, ...], says: str
) -> None:
    survey = written(tmp_path, rows=answers(tickets=tickets))
    with pytest.raises(ConfigurationError, match=says) as error:
        metrics(survey)
    assert "surveys.guests.weighting" in str(error.value)
    assert error.value.public == "guests 2026-10 cannot be weighted"


def test_a_revision_weighs_what_it_counts_and_changed_margins_make_one(tmp_path: Path) -> None:
    survey = written(tmp_path)
    assert survey.release() is not None
    assert prepare(Run.begin(survey.config), "guests").examination.verdict == "unchanged"
    survey = written(tmp_path, weighting=MARGINS.replace("= 0.5,", "= 0.2,").replace("= 0.5 }", "= 0.8 }"))
    assert prepare(Run.begin(survey.config), "guests").examination.is_computed_anew
    revised = metrics(survey, may_revise=True).loc["all"]
    assert revised["design_effect"] == pytest.approx(1.01, abs=0.0051)
    late = "".join(f"{7 + n % 3},Ships,{('day', 'day', 'stay')[n % 3 == n % 2]},1\n" for n in range(240))
    survey = written(tmp_path, rows=answers() + late)
    assert metrics(survey, may_revise=True).loc["all", "design_effect"] < 1.34


def test_weighted_figures_tell_nobody_who_is_nearly_alone_in_a_margin_s_group(tmp_path: Path) -> None:
    """Of Ports one answer is of a day tripper: beside the margins, weighted figures would tell what he answered."""
    header, *lines = answers().splitlines()
    places = ["Ships" if line.split(",")[2] == "day" else line.split(",")[1] for line in lines]
    rows = [line.split(",") for line in lines]
    moved = next(n for n, row in enumerate(rows) if row[2] == "day")
    text = [
        ",".join([row[0], "Ports" if n == moved else place, *row[2:]])
        for n, (row, place) in enumerate(zip(rows, places, strict=True))
    ]
    survey = written(tmp_path, rows="\n".join([header, *text]) + "\n")
    found = metrics(survey).set_index("department")["nps_weighted"]
    assert found.notna().to_dict() == {"Our organisation": True, "Ports": False, "Ships": False}


def test_a_late_answer_of_a_margin_s_group_leaves_a_revision_without_weighted_figures_where_it_is(
    tmp_path: Path,
) -> None:
    """Twelve come to Ships, one of them a day tripper: what he answered is the difference of two weighted figures."""
    survey = written(tmp_path)
    assert metrics(survey)["nps_weighted"].notna().all()
    assert survey.release() is not None
    late = "".join(f"{3 + n % 8},Ships,{'stay' if n else 'day'},1\n" for n in range(12))
    survey = written(tmp_path, rows=answers() + late)
    revised = metrics(survey, may_revise=True).set_index("department")
    assert revised["responses"].to_dict() == {"Our organisation": 412, "Ports": 134, "Ships": 278}
    assert revised["nps_weighted"].notna().to_dict() == {"Our organisation": False, "Ports": True, "Ships": False}


def test_a_driver_is_called_by_its_label_in_each_language_and_by_its_key_without_one(tmp_path: Path) -> None:
    labelled = '{ column = "crew", label = { nl = "Personeel", en = "Crew" } }'
    survey = written(tmp_path, roles=f'drivers = {{ crew = {labelled}, on_time = "crew" }}')
    (tmp_path / "zwerm.toml").write_text(
        survey.config.read_text(encoding="utf-8") + '\n[organisation]\nlanguages = ["nl", "en"]\n', encoding="utf-8"
    )
    assert driver_labels(Run.begin(survey.config), "guests") == {
        "crew": {"nl": "Personeel", "en": "Crew"},
        "on_time": {"nl": "on time", "en": "on time"},
    }


def test_drivers_that_say_the_same_are_left_out_but_for_the_first(tmp_path: Path) -> None:
    survey = written(tmp_path, weighting="", roles='drivers = { crew = "crew", again = "crew" }')
    prepared = prepare(Run.begin(survey.config), "guests", with_pages=False)
    assert prepared.sealed is not None
    told: Frame = read_table(prepared.sealed.folder, "drivers").set_index(["department_id", "driver"])
    assert told.loc[("all", "again"), "left_out"] == "collinear"
    assert pd.isna(told.loc[("all", "crew"), "left_out"])


@pytest.mark.parametrize(("weighting", "verdict"), [("", "unchanged"), (MARGINS, "waiting")])
def test_a_segment_that_changes_waits_where_answers_are_weighted_by_it_and_else_touches_nothing(
    tmp_path: Path, weighting: str, verdict: str
) -> None:
    head, *lines = answers().splitlines()
    keyed = [f"{number},{line}" for number, line in enumerate(lines)]
    for changed in (keyed, [keyed[0].replace("day", "stay"), *keyed[1:]]):
        rows = "\n".join([f"n,{head}", *changed]) + "\n"
        run = Run.begin(written(tmp_path, weighting=weighting, roles='response_id = "n"', rows=rows).config)
        prepared = prepare(run, "guests", with_pages=False)
        for moment in stage_together(run, [prepared]).moments:
            open_moment(run.home, run.settings, moment.moment_id)
    assert prepared.examination.verdict == verdict
