"""The demo's true values lie in the intervals of what is computed from its answers, as often as those say."""

import numpy as np
import pandas as pd
import pytest

from flows.demo.answers import AGREEING, RETURNING, _draw  # with seeds of our own: the demo's files have one
from flows.demo.organisation import DEPARTMENTS, ORGANISATION, WAVES, true_values
from tests.transforms.waves import Frame, empty, key, metrics, tally
from transforms.change import compared
from transforms.paired import paired
from transforms.sql import text

SEEDS = 25
Z = 1.959963984540054
BEFORE, NOW = WAVES[-2:]
PEOPLE = {"niemand": (0, 0), "1-3": (1, 3), "4-7": (4, 7), "8 of meer": (8, 999)}
ACTED_OF_TOLD = (0.55 * 0.8 + 0.3 * 1.7 + 0.15 * 2.975) / 2.95  # where telling works, by what answers are drawn with
RATES = ("superpromoter_rate", "sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter")
FIGURES = ("nps", "nps_weighted", *RATES)


@pytest.fixture(scope="module")
def recovered() -> Frame:
    """One row per wave × seed × department of at least ten answers: figures with their intervals, and what is true.

    Of the later wave there is the change too, and the same as if nobody had answered both.
    """
    rows = pd.concat([_answers(seed) for seed in range(SEEDS)], ignore_index=True)
    before, _ = _figures(rows, BEFORE)
    now, moves = _figures(rows, NOW)
    pairs = paired(moves, now, before, min_respondents=10)
    moved = compared(now, before, pairs=pairs).drop(columns="compared_wave")
    alone = compared(now, before)[["nps_change_low", "nps_change_high"]].add_prefix("alone_")
    figures = pd.concat([before, pd.concat([now, moved, alone], axis=1)], ignore_index=True)
    truth = _with_people(true_values())
    figures = figures[figures["level"] > 0]  # above the seeds there is nothing that is true
    return figures.merge(truth, on=["wave", "path"], suffixes=("", "_true"), validate="many_to_one")


def _figures(rows: pd.DataFrame, wave: str) -> tuple[Frame, Frame]:
    """A wave's metrics, and how those who answered the wave before as well moved since."""
    with empty() as connection:
        connection.register("rows", rows)
        connection.execute(
            "insert into core.responses by name select *, 's' as survey, 1 as batch, row_number() over () as"
            " record_number, record_number as response_key, false as is_contradictory from rows"
        )
        connection.execute(f"create temp view counted as from core.responses where wave = '{wave}'")
        found = tally(connection)
        connection.execute("create temp view first as from counted")
        connection.execute(f"create temp view earlier as from core.responses where wave = '{BEFORE}'")
        moves = connection.sql(text("paired")).to_arrow_table().to_pandas()
    figures = metrics(found.set_index("department_id", drop=False), min_respondents=10).reset_index(drop=True)
    path = found["department_key"].str.split(chr(31)).map(lambda parts: tuple(parts[1:])).reset_index(drop=True)
    return figures.assign(wave=wave, path=path), moves


def _answers(seed: int) -> pd.DataFrame:
    """Two waves of one seed; half of a department's answers in the later one are by people who gave the earlier's."""
    cells = {
        wave: [cell for cell in (ORGANISATION, *DEPARTMENTS) for _ in range(cell.answers[WAVES.index(wave)])]
        for wave in (BEFORE, NOW)
    }
    rng = np.random.default_rng([seed, 2026])
    people, luck = np.arange(len(cells[BEFORE])), rng.random(len(cells[BEFORE]))
    known: dict[tuple[str, ...], list[int]] = {}
    for i, cell in enumerate(cells[BEFORE]):
        known.setdefault(cell.path, []).append(i)
    later_people, later_luck = 100_000 + np.arange(len(cells[NOW])), rng.random(len(cells[NOW]))
    for i, (returns, agrees) in enumerate(rng.random((len(cells[NOW]), 2))):
        if returns < RETURNING and known.get(cells[NOW][i].path):
            one = later_people[i] = known[cells[NOW][i].path].pop()
            later_luck[i] = luck[one] if agrees < AGREEING else later_luck[i]
    who = {BEFORE: (people, luck), NOW: (later_people, later_luck)}
    drawn = [
        pd.DataFrame(_draw(cells[wave], wave=wave, customers=customers.tolist(), first_id=1, rng=rng, luck=fortune))
        for wave, (customers, fortune) in who.items()
    ]
    keys = [key(str(seed), *cell.path) for wave in who for cell in cells[wave]]
    waves = [wave for wave in who for _ in cells[wave]]
    return _responses(pd.concat(drawn, ignore_index=True), seed).assign(department_key=keys, wave=waves)


def _responses(drawn: pd.DataFrame, seed: int) -> pd.DataFrame:
    score = pd.to_numeric(drawn["aanbeveling"], errors="coerce")
    return pd.DataFrame(
        {
            "respondent_key": 1_000_000 * seed + drawn["klant"].str.removeprefix("WL-").astype("int64"),
            "weight": drawn["gewicht"].astype("float64"),
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
    """The truth, with what follows from it: people told and acted, and how NPS moved from one wave to the next."""
    return truth.assign(
        reach=truth["sharing_rate"] * 2.95,
        conversion=truth["influence_rate"] * ACTED_OF_TOLD,
        nps_change=truth.groupby("path")["nps"].diff(),
    )


def _held(rows: Frame, name: str, *, by: str) -> float:
    held = (rows[f"{by}_low"] <= rows[f"{name}_true"]) & (rows[f"{name}_true"] <= rows[f"{by}_high"])
    return float(held.mean())


@pytest.mark.parametrize("figure", [*FIGURES, "reach", "conversion", "nps_change"])
def test_what_is_true_of_the_demo_lies_in_its_intervals_as_often_as_they_say(recovered: Frame, figure: str) -> None:
    rows = recovered[recovered[f"{figure}_low"].notna()]
    held = _held(rows, figure, by=figure)
    assert len(rows) > 200
    assert 0.92 <= held <= 0.98, f"{held:.3f} of {len(rows)}"


def test_changes_among_people_who_return_are_as_far_apart_as_said_and_not_as_if_nobody_did(recovered: Frame) -> None:
    rows = recovered[recovered["method"] == "overlapping"]
    assert len(rows) > 200
    error = rows["nps_change"] - rows["nps_change_true"]
    said, alone = (rows[f"{by}_high"] - rows[f"{by}_low"] for by in ("nps_change", "alone_nps_change"))
    squares = [float(((2 * Z * error / width) ** 2).mean()) for width in (said, alone)]
    assert squares[0] == pytest.approx(1, abs=0.25)  # three standard errors, of as many as if each stood alone
    assert squares[1] < 0.8


def test_no_figure_of_the_demo_is_off_on_average(recovered: Frame) -> None:
    for figure in (*FIGURES, "nps_change"):
        apart = recovered[figure] - recovered[f"{figure}_true"]
        error = apart.std() / np.sqrt(apart.notna().sum())
        assert abs(apart.mean()) < 3.5 * error, figure
