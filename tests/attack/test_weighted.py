"""Weighted figures attacked with the margins: by trying every group of young people that each figure fits."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.preparing.seal import read_table
from flows.preparing.steps import prepare
from flows.run import Run
from tests.attack.crossed import DEPARTMENTS, WAVES, Said, said
from tests.attack.organisations import SCORES
from tests.attack.outsider import Counts
from tests.attack.weighted import Range, found, shown_of

K = 5
SEEDS = (3, 4)
SHARE_YOUNG = 0.5
KINDS = ("promoter", "passive", "detractor")
CONFIGURATION = f"""
[surveys.guests]
wave = {{ value = "{WAVES[-1]}" }}
min_respondents = {K}
[surveys.guests.roles]
score = "score"
department = ["l0", "l1"]
segments = {{ age = "age" }}
[surveys.guests.weighting]
margins = {{ age = {{ young = {SHARE_YOUNG}, old = {1 - SHARE_YOUNG} }} }}
[[surveys.guests.sources]]
path = "answers.csv"
"""


def shown(folder: Path, answers: list[Said]) -> pd.DataFrame:
    """The sealed figures of published departments, by path."""
    folder.mkdir()
    (folder / "zwerm.toml").write_text(CONFIGURATION, encoding="utf-8")
    lines = [",".join([str(SCORES[one.kind][-1]), *_levels(one.cell[1]), one.cell[3]]) for one in answers]
    (folder / "answers.csv").write_text("\n".join(["score,l0,l1,age", *lines]) + "\n", encoding="utf-8")
    sealed = prepare(Run.begin(folder / "zwerm.toml"), "guests", with_pages=False).sealed
    assert sealed is not None
    metrics, departments = (read_table(sealed.folder, name) for name in ("promoter_metrics", "departments"))
    paths = {row["department_id"]: "/".join(row["path"]) for row in departments.to_dict("records")}
    return (
        metrics[metrics["status"] == "published"].assign(place=metrics["department_id"].map(paths)).set_index("place")
    )


def _levels(department: str) -> tuple[str, str]:
    first, _, second = department.partition("/")
    return first, second


def counts(answers: list[Said], place: str, *, young: bool | None = None) -> Counts:
    inside = Counter(
        one.kind
        for one in answers
        if (not place or f"{one.cell[1]}/".startswith(f"{place}/"))
        and (young is None or (one.cell[3] == "young") == young)
    )
    promoters, passives, detractors = (inside[kind] for kind in KINDS)
    return promoters, passives, detractors


def weights(answers: list[Said]) -> dict[str, float]:
    """What the outsider works out from the margins and the whole's segments, which are published."""
    young, old = sum(counts(answers, "", young=True)), sum(counts(answers, "", young=False))
    together = young + old
    return {"weight_young": SHARE_YOUNG * together / young, "weight_old": (1 - SHARE_YOUNG) * together / old}


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[Said], pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("weighted")
    made = [[one for one in said(seed, k=K) if one.cell[0] == WAVES[-1]] for seed in SEEDS]
    return [(answers, shown(folder / str(number), answers)) for number, answers in enumerate(made)]


def of_young(answers: list[Said], row: Any, place: str) -> Range:
    return found(row, counts(answers, place), **weights(answers))


def test_weighted_figures_bound_no_few_of_a_group_alone_or_by_subtraction(
    organisations: list[tuple[list[Said], pd.DataFrame]],
) -> None:
    told, silent = 0, 0
    for answers, rows in organisations:
        weighted = rows[rows["nps_weighted"].notna()]
        ranges = {str(place): of_young(answers, row, str(place)) for place, row in weighted.iterrows()}
        for place, known in ranges.items():
            truth = counts(answers, place, young=True)
            assert known.least <= sum(truth) <= known.most
            assert not known.gives_away(truth, k=K), (place, truth)
            below = [other for other in ranges if _is_right_below(other, place, ranges)]
            left = sum(truth) - sum(sum(counts(answers, other, young=True)) for other in below)
            most = known.most - sum(ranges[other].least for other in below)
            least = max(0, known.least - sum(ranges[other].most for other in below))
            assert not (0 < left < K and most - least < K), (place, below)
        told += len(weighted)
        silent += len(rows) - len(weighted)
    assert told > 1
    assert silent > 1


def _is_right_below(place: str, above: str, among: Any) -> bool:
    over = [other for other in among if other != place and (not other or place.startswith(f"{other}/"))]
    return bool(over) and max(over, key=len) == above


def test_where_none_are_hidden_he_finds_them() -> None:
    given_away = 0
    for seed in SEEDS:
        answers = [one for one in said(seed, k=K) if one.cell[0] == WAVES[-1]]
        for place in DEPARTMENTS:
            young, whole = counts(answers, place, young=True), counts(answers, place)
            if sum(whole) >= 2 * K:
                row = shown_of(young, whole, **weights(answers))
                given_away += of_young(answers, row, place).gives_away(young, k=K)
    assert given_away > 0
