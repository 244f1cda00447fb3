"""A reorganisation the whole way: both trees are shown, what moved is compared with itself, and nobody is told."""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows.home import Home
from flows.run import Run
from tests.flows.whole import Survey

CONFIGURATION = """
[surveys.guests]
min_respondents = 10
[surveys.guests.roles]
score = "score"
department = ["division", "team"]
responded_at = "day"
respondent_id = "guest"
"""
MOVES = """
[[departments]]
path = ["B", "l"]
valid_from = "2026-10"
was = ["A", "l"]

[[departments]]
path = ["D", "m"]
valid_from = "2026-10"
was = ["C", "m"]
name = "Moved"

[[departments]]
path = ["C", "m"]
valid_until = "2026-09"
"""
HEAD = "guest,division,team,score,day\n"
# Division, team, answers: the example of the region rule, and beside it a team that is large enough to move alone.
BEFORE = (("A", "r", 27), ("A", "l", 3), ("B", "", 25), ("C", "m", 40), ("C", "n", 30), ("D", "o", 35))
AFTER = (("A", "r", 28), ("B", "l", 4), ("B", "", 26), ("D", "m", 40), ("C", "n", 33), ("D", "o", 36))
SECRET = b"one that hides r rather than A"  # of those that hide three with their neighbours, either would do
WAVES = {"2026-09": BEFORE, "2026-10": AFTER}


def answers(wave: str, rows: tuple[tuple[str, str, int], ...]) -> str:
    """Answers of all classes for each team; the guests of the team m are the same in every wave."""
    rng = np.random.default_rng(int(wave[-2:]))
    lines = []
    for division, team, number in rows:
        for place in range(number):
            score = (10, 8, 3)[place] if place < 3 else int(rng.integers(0, 11))
            guest = f"{team}{place}" if team == "m" else f"{wave}{division}{team}{place}"
            lines.append(f"{guest},{division},{team},{score},{wave}-15 12:00\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """A wave before and one after a reorganisation; then one of its moves is taken back, and nothing else."""
    rows = [answers(wave, teams) for wave, teams in WAVES.items()]
    survey = Survey.written(tmp_path_factory.mktemp("guests"), HEAD, configuration=CONFIGURATION, more=MOVES)
    working = Home(survey.folder).prepare().working
    (working / "secret").write_text(hashlib.sha256(SECRET).hexdigest(), encoding="ascii")
    for place, wave in enumerate(WAVES):
        (survey.folder / "answers.csv").write_text(HEAD + "".join(rows[: place + 1]))
        assert survey.release(wave) is not None
    assert survey.release("2026-10", may_revise=True) is None  # nothing is new
    survey.config.write_text(survey.config.read_text().replace('was = ["A", "l"]\n', ""))
    assert survey.release("2026-09", may_revise=True) is None  # nothing that was before it is made anew
    assert survey.release("2026-10", may_revise=True) is not None
    return survey


def table(survey: Survey, name: str, *, wave: str = "2026-10", revision: int = 1) -> Any:
    """A published table of one release, by the place of its departments."""
    rows = survey.read(f"select * from mart.{name} where wave = '{wave}' and revision = {revision}")
    places = survey.read("select distinct department_id, path as place from mart.departments")
    return rows.merge(places, on="department_id", validate="many_to_one").set_index("place")


def test_the_earlier_wave_is_shown_in_the_tree_of_its_time_and_in_todays(released: Survey) -> None:
    then = table(released, "promoter_metrics", wave="2026-09")
    today = table(released, "regrouped")
    assert then["responses"].dropna().to_dict() == {"": 160, "A": 30, "B": 25, "C": 70, "C > m": 40, "C > n": 30} | {
        "D": 35,
        "D > o": 35,
    }
    assert today["responses"].dropna().to_dict() == {"": 160, "C": 30, "C > n": 30, "D": 75, "D > m": 40, "D > o": 35}
    assert today.loc["D > m", "department"] == "Moved"
    assert set(today["compared_wave"]) == {"2026-09"}
    assert set(today["compared_release_id"]) == set(then["release_id"])
    figures = ["promoters", "passives", "detractors", "nps", "nps_low", "nps_high"]
    for was, now in (("", ""), ("C > m", "D > m"), ("C > n", "C"), ("D > o", "D > o")):
        assert then.loc[was, figures].tolist() == today.loc[now, figures].tolist()


def test_what_moved_out_of_a_hidden_group_is_told_by_neither_tree(released: Survey) -> None:
    """The example of the region rule: A 30 = r 27 + l 3, B 25, and l moves to B."""
    then, today = table(released, "promoter_metrics", wave="2026-09"), table(released, "regrouped")
    assert set(then.index[then["status"] == "suppressed"]) == {"A > l", "A > r"}
    barred = {"A", "A > r", "B", "B > l"}
    assert set(today.index[today["status"] == "suppressed"]) == barred
    assert today.loc[list(barred), "responses":"nps_high"].isna().all(axis=None)
    assert not barred & set(table(released, "changes").index)
    now = table(released, "promoter_metrics")
    assert now.loc[["A", "A > r", "B"], "nps"].notna().all()  # the wave itself is another, and shown as it is
    assert now.loc[["A", "A > r", "B"], "nps_change"].isna().all()
    trends = table(released, "trends")
    assert set(trends.loc[["A", "A > r", "B"], "trend_wave"]) == {"2026-10"}


def test_a_department_that_moved_is_compared_with_what_it_was_and_says_so(released: Survey) -> None:
    now, then = table(released, "promoter_metrics"), table(released, "promoter_metrics", wave="2026-09")
    changes = table(released, "changes")
    assert changes["is_regrouped"].to_dict() == {"": False, "C": True, "C > n": False, "D": True, "D > m": True} | {
        "D > o": False
    }
    assert changes.loc["D > m", "nps_change"] == pytest.approx(now.loc["D > m", "nps"] - then.loc["C > m", "nps"])
    assert changes.loc["C", "nps_change"] == pytest.approx(now.loc["C", "nps"] - then.loc["C > n", "nps"])
    assert changes["nps_change"].to_dict() == now["nps_change"].dropna().to_dict()
    assert changes.loc["D > m", "method"] == "paired"  # its guests came along
    assert changes.loc["C", "method"] == "independent"


def test_the_course_through_the_waves_follows_what_moved(released: Survey) -> None:
    rows = table(released, "trends").loc["D > m"]
    assert rows["is_regrouped"].tolist() == [True, False]
    before = table(released, "promoter_metrics", wave="2026-09").loc["C > m", "nps"]
    assert rows["nps"].tolist()[0] == before
    page = (released.published / "site").rglob("*.html")
    assert any("Moved" in path.read_text(encoding="utf-8") for path in page)


def test_departments_have_their_time(released: Survey) -> None:
    rows = table(released, "departments")[["valid_from", "valid_until"]]
    assert rows["valid_from"].dropna().to_dict() == {"B > l": "2026-10", "D > m": "2026-10"}
    assert rows["valid_until"].isna().all()
    before = table(released, "departments", wave="2026-09")["valid_until"]
    assert before.dropna().to_dict() == {"C > m": "2026-09"}


def test_nobody_misses_a_department_that_moved(released: Survey) -> None:
    rows = released.read("select rule, outcome from mart.quality where wave = '2026-10' and revision = 1")
    outcomes = dict(zip(rows["rule"], rows["outcome"], strict=True))
    assert outcomes["departments_remain"] == outcomes["departments_are_of_their_time"] == "passed"


def test_release_json_says_the_same(released: Survey) -> None:
    rows = table(released, "regrouped")
    folder = Run.begin(released.config).home.releases / str(rows["release_id"].iloc[0])
    document = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    assert [row["nps"] for row in document["regrouped"]] == [None if pd.isna(nps) else nps for nps in rows["nps"]]
    places = {" > ".join(row["path"]): row["valid_from"] for row in document["tree"]}
    assert places["D > m"] == "2026-10"
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["moves"] == [
        ["2026-10", ["A", "l"], ["B", "l"]],
        ["2026-10", ["C", "m"], ["D", "m"]],
    ]


def test_other_moves_make_a_revision_that_is_not_paired_and_shows_whole_regions_again(released: Survey) -> None:
    changes, today = table(released, "changes", revision=2), table(released, "regrouped", revision=2)
    assert set(changes["method"]) == {"independent"}  # pairs in two trees could be subtracted from each other
    assert {"A", "B"} <= set(changes.index)
    assert today["responses"].dropna().to_dict() == {"": 160, "A": 30, "B": 25, "C": 30, "C > n": 30} | {
        **{"B > l": 0, "D": 75, "D > m": 40, "D > o": 35},
    }
    reason = released.read("select reason from mart.releases where wave = '2026-10' and revision = 2")
    assert reason["reason"].tolist() == ["more answers"]
    assert changes["compared_release_id"].tolist()[0] == table(released, "changes")["compared_release_id"].tolist()[0]
