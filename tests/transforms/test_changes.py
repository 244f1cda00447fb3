"""Changes against the wave before and a year before: paired where people answered both, and then no wider than true."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.transforms.released import Counts, Frame, released
from transforms.change import change, compared
from transforms.changes import COLUMNS, Against, changes
from transforms.paired import CLASSES, SIGNS, paired

SHARES = np.array([0.15, 0.35, 0.5])


def pairs_of(matrix: np.ndarray, now: Frame, before: Frame, *, name: str = "all") -> pd.DataFrame:
    """What a release would use of these pairs: class before × class now."""
    cells = [(i, j) for i in range(3) for j in range(3) if matrix[i, j]]
    rows = [(name, CLASSES[i], CLASSES[j], int(matrix[i, j])) for i, j in cells]
    moves = pd.DataFrame(rows, columns=["department_id", "class_before", "class_now", "respondents"]).assign(
        moved=False
    )
    return paired(moves, now, before, min_respondents=10)


def counted(total: np.ndarray) -> Counts:
    d, q, p = (int(count) for count in total)
    return d, q, p


def moved(matrix: np.ndarray, only_before: np.ndarray, only_now: np.ndarray) -> Any:
    """The change of an organisation with these pairs and these other answers."""
    before = released({"all": counted(matrix.sum(axis=1) + only_before)}, wave="2026-09")
    now = released({"all": counted(matrix.sum(axis=0) + only_now)})
    return compared(now, before, pairs=pairs_of(matrix, now, before)).iloc[0]


MATRIX = np.array([[12, 3, 1], [2, 30, 5], [1, 6, 40]])
NOBODY = np.zeros(3, dtype=np.int64)


def test_where_all_answered_both_the_waves_are_paired() -> None:
    row = moved(MATRIX, NOBODY, NOBODY)
    steps = np.concatenate([np.repeat(SIGNS[j] - SIGNS[i], MATRIX[i, j]) for i in range(3) for j in range(3)])
    error = 100 * steps.std(ddof=1) / len(steps) ** 0.5
    assert row["method"] == "paired"
    assert row["nps_change"] == pytest.approx(100 * steps.mean())
    assert (row["nps_change_low"], row["nps_change_high"]) == pytest.approx(
        (100 * steps.mean() - 1.959964 * error, 100 * steps.mean() + 1.959964 * error), abs=1e-4
    )


def test_where_some_did_the_variance_loses_twice_the_covariance_of_those() -> None:
    others = np.array([20, 30, 50])
    row = moved(MATRIX, others, others)
    alone = moved(np.zeros((3, 3), dtype=int), MATRIX.sum(axis=1) + others, MATRIX.sum(axis=0) + others)
    before, now = SIGNS @ MATRIX.sum(axis=1) / 100, MATRIX.sum(axis=0) @ SIGNS / 100
    covariance = SIGNS @ MATRIX @ SIGNS / 100 - before * now
    margin, wide = ((one["nps_change_high"] - one["nps_change_low"]) / 2 / 195.9963985 for one in (row, alone))
    assert (row["method"], alone["method"]) == ("overlapping", "independent")
    assert wide**2 - margin**2 == pytest.approx(2 * covariance * 100 / 203**2)
    assert row["nps_change"] == alone["nps_change"]


def test_where_too_few_answered_both_or_none_is_known_the_waves_are_independent() -> None:
    few = np.diag([2, 3, 4])
    others = np.array([20, 30, 50])
    row = moved(few, others, others)
    plain = compared(*(released({"all": counted(np.diag(few) + others)}, wave=wave) for wave in ("2026-10", "2026-09")))
    pd.testing.assert_series_equal(row, plain.iloc[0])
    assert row["method"] == "independent"


def drawn(rng: np.random.Generator, *, n: int, both: int, agreeing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs who mostly think as they did, and others; the true change is none."""
    first = rng.choice(3, both, p=SHARES)
    second = np.where(rng.random(both) < agreeing, first, rng.choice(3, both, p=SHARES))
    matrix = np.zeros((3, 3), dtype=np.int64)
    np.add.at(matrix, (first, second), 1)
    return matrix, rng.multinomial(n - both, SHARES), rng.multinomial(n - both, SHARES)


@pytest.mark.parametrize(("n", "both"), [(100, 100), (300, 300), (200, 120)])
def test_the_interval_holds_the_true_change_about_as_often_as_it_says_where_independent_would_be_far_too_wide(
    n: int, both: int
) -> None:
    rng = np.random.default_rng([n, both])
    tries, names = 150, [f"d{number}" for number in range(150)]
    waves = [drawn(rng, n=n, both=both, agreeing=0.8) for _ in range(tries)]
    before = released({name: counted(m.sum(axis=1) + b) for name, (m, b, _) in zip(names, waves, strict=True)})
    now = released({name: counted(m.sum(axis=0) + a) for name, (m, _, a) in zip(names, waves, strict=True)})
    pairs = pd.concat([pairs_of(m, now, before, name=name) for name, (m, *_) in zip(names, waves, strict=True)])
    rows, plain = compared(now, before, pairs=pairs), compared(now, before)
    holds = (rows["nps_change_low"] <= 0) & (rows["nps_change_high"] >= 0)
    assert set(rows["method"]) == {"paired" if n == both else "overlapping"}
    assert 0.89 < holds.mean() < 0.99
    wide = (plain["nps_change_high"] - plain["nps_change_low"]).mean()
    assert (rows["nps_change_high"] - rows["nps_change_low"]).mean() < (0.55 if n == both else 0.8) * wide
    if n == both:
        assert ((plain["nps_change_low"] <= 0) & (plain["nps_change_high"] >= 0)).mean() > 0.995


def test_no_variance_is_ever_lost_to_below_nothing() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        matrix = np.diag(rng.integers(0, 60, 3)) + rng.integers(0, 2, (3, 3))
        row = moved(matrix, rng.integers(0, 2, 3), rng.integers(0, 2, 3))
        assert np.isfinite(float(row["nps_change_high"]))
        assert row["nps_change_high"] > row["nps_change_low"]


COUNTS: Mapping[str, Counts] = {"all": (60, 90, 150), "a": (20, 30, 50), "b": (40, 60, 100)}


def against(counts: Mapping[str, Counts], *, basis: Any = "previous", wave: str = "2026-09", **how: Any) -> Against:
    return Against(basis, f"release of {wave}", released(counts, wave=wave, **how))


def test_each_basis_has_its_rows_in_tree_order_and_names_what_it_is_held_against() -> None:
    year = against({"all": (50, 90, 160), "b": (30, 60, 110)}, basis="year_before", wave="2025-10")
    rows = changes(released(COUNTS), [against({"all": (60, 90, 150), "a": (30, 30, 40), "b": (30, 60, 110)}), year])
    assert rows.columns.tolist() == list(COLUMNS)
    assert rows[["basis", "department_id", "compared_wave"]].to_numpy().tolist() == [
        *(["previous", name, "2026-09"] for name in ("all", "a", "b")),
        *(["year_before", name, "2025-10"] for name in ("all", "b")),
    ]
    assert set(rows["compared_release_id"]) == {"release of 2026-09", "release of 2025-10"}
    assert set(rows["method"]) == {"independent"}


def test_the_change_in_the_metrics_is_that_of_the_previous_wave() -> None:
    before = against({"all": (60, 90, 150), "a": (30, 30, 40), "b": (30, 60, 110)})
    pairs = pairs_of(MATRIX, released(COUNTS), before.metrics, name="a")
    before = Against(before.basis, before.release_id, before.metrics, pairs)
    rows = changes(released(COUNTS), [before]).set_index("department_id")
    beside = change(released(COUNTS), before.metrics, previous_release_id=before.release_id, pairs=pairs)
    beside = beside.set_index("department_id")
    for name in ("nps_change", "nps_change_low", "nps_change_high"):
        assert rows[name].tolist() == beside[name].tolist()
    assert rows["p_value"].tolist() == beside["change_p_value"].tolist()
    assert rows["is_significant"].tolist() == beside["is_change_significant"].tolist()
    assert rows["compared_release_id"].tolist() == beside["previous_release_id"].tolist()
    assert rows["method"].tolist() == ["overlapping", "paired", "independent"]


def test_the_organisation_is_in_no_family_and_each_basis_is_one_of_its_own() -> None:
    other = {"all": (80, 90, 130), "a": (32, 30, 38), "b": (40, 60, 100)}
    once = changes(released(COUNTS), [against(other)]).set_index("department_id")
    twice = changes(released(COUNTS), [against(other), against(other, basis="year_before", wave="2025-10")])
    assert twice["p_value"].tolist() == [*once["p_value"], *once["p_value"]]
    alone = changes(released({"all": COUNTS["all"]}), [against(other)])
    assert alone["p_value"].tolist() == [once.loc["all", "p_value"]]


def test_a_hidden_department_has_no_change_and_its_counts_change_nothing() -> None:
    found = []
    for hidden in ((1, 2, 3), (90, 2, 3)):
        before = against({**COUNTS, "b": hidden}, suppressed=["b"])
        before.metrics.loc[before.metrics["department_id"] == "b", "promoters"] = hidden[0]
        found.append(changes(released(COUNTS), [before]))
    pd.testing.assert_frame_equal(found[0], found[1])
    assert set(found[0]["department_id"]) == {"all", "a"}
    now = released(COUNTS, suppressed=["a"])
    assert set(changes(now, [against(COUNTS)])["department_id"]) == {"all", "b"}


def test_a_first_wave_has_no_change() -> None:
    rows = changes(released(COUNTS), [])
    assert rows.empty
    assert rows.columns.tolist() == list(COLUMNS)
