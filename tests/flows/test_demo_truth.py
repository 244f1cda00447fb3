"""The demo's true values lie in the intervals of what is computed from its answers, as often as those say."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from flows.demo.answers import _draw  # with seeds of our own: the demo's files have one
from flows.demo.organisation import DEPARTMENTS, ORGANISATION, WAVES, true_values
from tests.transforms.waves import Frame, key, layers, metrics, tally

SEEDS = 25
WAVE = WAVES[-1]
PEOPLE = {"niemand": (0, 0), "1-3": (1, 3), "4-7": (4, 7), "8 of meer": (8, 999)}
ACTED_OF_TOLD = (0.55 * 0.8 + 0.3 * 1.7 + 0.15 * 2.975) / 2.95  # where telling works, by what answers are drawn with
FIGURES = ("nps", "superpromoter_rate", "sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter")


@pytest.fixture(scope="module")
def recovered() -> Frame:
    """One row per seed × department of at least ten answers: its figures with their intervals, beside what is true."""
    rows = pd.concat([_answers(seed) for seed in range(SEEDS)], ignore_index=True)
    with duckdb.connect() as connection:
        layers(connection)
        connection.register("rows", rows)
        connection.execute(
            "insert into core.responses by name select *, 's' as survey, 1 as batch, 'w' as wave,"
            " row_number() over () as record_number, record_number as response_key, false as is_contradictory from rows"
        )
        connection.execute("create temp view counted as from core.responses")
        found = tally(connection)
    figures = metrics(found.set_index("department_id", drop=False), min_respondents=10).reset_index(drop=True)
    path = found["department_key"].str.split(chr(31)).map(lambda parts: tuple(parts[1:])).reset_index(drop=True)
    truth = true_values().query("wave == @WAVE")
    figures = figures.assign(path=path)[found["level"].to_numpy() > 0]  # above the seeds there is nothing that is true
    return figures.merge(_with_people(truth), on="path", suffixes=("", "_true"), validate="many_to_one")


def _answers(seed: int) -> pd.DataFrame:
    nodes = (ORGANISATION, *DEPARTMENTS)
    cells = [cell for cell in nodes for _ in range(cell.answers[WAVES.index(WAVE)])]
    drawn = pd.DataFrame(
        _draw(cells, wave=WAVE, customers=range(len(cells)), first_id=1, rng=np.random.default_rng([seed, 2026]))
    )
    score = pd.to_numeric(drawn["aanbeveling"], errors="coerce")
    return pd.DataFrame(
        {
            "department_key": [key(str(seed), *cell.path) for cell in cells],
            "score": score.where(score <= 10).astype("Int64"),
            "told_count": _people(drawn["verteld"], 0),
            "told_count_most": _people(drawn["verteld"], 1),
            "acted_count": pd.to_numeric(drawn["meegekomen"], errors="coerce").astype("Int64"),
            "is_copied": drawn["nagedaan"].map({"ja": True, "nee": False}).astype("boolean"),
            "warned_count": _people(drawn["gewaarschuwd"], 0),
            "warned_acted_count": pd.to_numeric(drawn["afgehaakt"], errors="coerce").astype("Int64"),
        }
    )


def _people(said: pd.Series, end: int) -> pd.Series:
    return said.map({band: ends[end] for band, ends in PEOPLE.items()}).astype("Int64")


def _with_people(truth: pd.DataFrame) -> pd.DataFrame:
    return truth.assign(reach=truth["sharing_rate"] * 2.95, conversion=truth["influence_rate"] * ACTED_OF_TOLD)


@pytest.mark.parametrize("figure", [*FIGURES, "reach", "conversion"])
def test_what_is_true_of_the_demo_lies_in_its_intervals_as_often_as_they_say(recovered: Frame, figure: str) -> None:
    rows = recovered[recovered[f"{figure}_low"].notna()]
    held = (rows[f"{figure}_low"] <= rows[f"{figure}_true"]) & (rows[f"{figure}_true"] <= rows[f"{figure}_high"])
    assert len(rows) > 200
    assert 0.92 <= held.mean() <= 0.98, f"{held.mean():.3f} of {len(rows)}"


def test_no_figure_of_the_demo_is_off_on_average(recovered: Frame) -> None:
    for figure in FIGURES:
        apart = recovered[figure] - recovered[f"{figure}_true"]
        error = apart.std() / np.sqrt(apart.notna().sum())
        assert abs(apart.mean()) < 3.5 * error, figure
