"""The three intervals of the NPS, against figures from the literature, each other, and the truth they must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from tests.benchmarks.coverage import METHODS, nps_coverage, wilson_coverage
from tests.transforms.waves import ANY_COUNTS, alone, counts, dqp, metrics
from transforms.interval import Method, score_interval

Bounds = tuple[float, float]
Z = 1.959963984540054
ORACLES: dict[tuple[int, int, int], tuple[Bounds, Bounds]] = {  # adjusted Wald, score
    (1, 2, 3): ((-0.2674, 0.7119), (-0.3111, 0.7540)),
    (10, 10, 30): ((0.1619, 0.5928), (0.1576, 0.5933)),
    (11, 10, 15): ((-0.1590, 0.3641), (-0.1645, 0.3689)),
    (54, 108, 162): ((0.2495, 0.4111), (0.2495, 0.4116)),
    (200, 300, 500): ((0.2508, 0.3474), (0.2508, 0.3475)),
    (0, 0, 5): ((0.1749, 1), (0.1310, 1)),
    (5, 0, 0): ((-1, -0.1749), (-1, -0.1310)),
    (16, 139, 6): ((-0.1182, -0.0038), (-0.1240, -0.0054)),
}


def bounds(*classes: int, method: Method) -> list[float]:
    """The interval of these detractors, passives and promoters, on the scale -1 to 1."""
    figures = alone(dqp(*classes), method=method)
    return [figures["nps_low"] / 100, figures["nps_high"] / 100]


@pytest.mark.parametrize("classes", ORACLES)
def test_intervals_are_those_of_the_literature(classes: tuple[int, int, int]) -> None:
    adjusted, score = ORACLES[classes]
    assert bounds(*classes, method="adjusted_wald") == pytest.approx(adjusted, abs=5e-5)
    assert bounds(*classes, method="score") == pytest.approx(score, abs=5e-5)


def test_the_plain_wald_interval_is_that_of_the_literature() -> None:
    assert bounds(16, 139, 6, method="wald") == pytest.approx((-0.1184, -0.0058), abs=5e-5)


@pytest.mark.parametrize(
    ("classes", "variance"), [((1, 2, 3), 5 / 9), ((1, 0, 1), 1), ((0, 1, 1), 0.25), ((1, 1, 1), 2 / 3)]
)
def test_the_variance_of_one_answer_is_that_of_the_r_package(classes: tuple[int, ...], variance: float) -> None:
    low, high = bounds(*(100 * count for count in classes), method="wald")
    n = 100 * sum(classes)
    assert ((high - low) / 2 / Z) ** 2 * n == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_promoters_and_detractors_are_not_independent(method: Method) -> None:
    assert bounds(75, 675, 250, method=method) == pytest.approx((0.1414, 0.2086), abs=6e-4)  # else .1436 to .2064


def test_the_ends_of_the_score_interval_are_where_the_test_rejects() -> None:
    for b, q, c in [key for key in ORACLES if min(key) > 0]:
        n = b + q + c
        for theta, expected in zip((float(end[0]) for end in score_interval([b], [q], [c])), (Z, -Z), strict=True):
            linear, constant = -b - c + (2 * n - c + b) * theta, -b * theta * (1 - theta)
            share = (np.sqrt(linear**2 - 8 * n * constant) - linear) / (4 * n)
            test = (c - b - n * theta) / np.sqrt(n * (2 * share + theta * (1 - theta)))
            assert test == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_departments_without_figures_have_no_interval(method: Method) -> None:
    rows = metrics(
        counts({"all": dqp(20, 20, 20), "hidden": dqp(9, 9, 9), "few": dqp(3, 3, 3), "empty": {}}),
        suppressed=["hidden"],
        min_respondents=10,
        method=method,
    )
    assert rows[["nps_low", "nps_high"]].notna().all(axis=1).tolist() == [True, False, False, False]


def test_the_method_changes_the_intervals_of_the_nps_and_nothing_else() -> None:
    row = {**dqp(11, 10, 15), "weight_sum": 40, "weight_square_sum": 50, "weighted_promoters": 20}
    frames = [
        alone({**row, "weighted_detractors": 10}, method=method).drop(["nps_low", "nps_high"]) for method in METHODS
    ]
    for frame in frames[1:]:
        pd.testing.assert_series_equal(frame, frames[0])


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS)
def test_swapping_promoters_and_detractors_mirrors_the_score_and_its_interval(
    row: dict[str, int], method: Method
) -> None:
    mirror = {**row, "promoters": row["detractors"], "detractors": row["promoters"]}
    rows = metrics(counts({"all": row, "mirror": mirror}), method=method)
    one, other = rows.loc["all"], rows.loc["mirror"]
    assert one["nps"] == -other["nps"]
    assert [one["nps_low"], one["nps_high"]] == pytest.approx([-other["nps_high"], -other["nps_low"]], abs=1e-8)
    if sum(row.values()) >= 6 or method != "adjusted_wald":  # which draws the score of very few answers to the middle
        assert one["nps_low"] - 1e-8 <= one["nps"] <= one["nps_high"] + 1e-8


@pytest.fixture(scope="module")
def default() -> pd.DataFrame:
    return nps_coverage(*range(10, 31), 50, 75, 100, 200, methods=("adjusted_wald",))


def test_the_default_interval_covers_the_truth_as_often_as_it_says(default: pd.DataFrame) -> None:
    inner = default[default["is_inner"]].groupby("n")["adjusted_wald"]
    assert set(inner.size()) == {171}
    assert inner.mean().between(0.945, 0.96).all()
    lowest = inner.min()
    assert lowest.index[lowest < 0.925].tolist() == [11]
    assert default.loc[~default["is_inner"], "adjusted_wald"].min() >= 0.875


def test_of_eleven_answers_the_default_covers_less_at_one_point_of_the_grid_and_that_is_known(
    default: pd.DataFrame,
) -> None:
    worst = default[(default["n"] == 11) & default["is_inner"]].sort_values("adjusted_wald")
    assert worst[["detractors", "promoters"]].iloc[0].tolist() == [0.45, 0.45]
    assert worst["adjusted_wald"].iloc[0] == pytest.approx(0.923859, abs=5e-7)
    assert worst["adjusted_wald"].iloc[1] >= 0.925


def test_without_detractors_the_default_covers_less_and_that_is_known(default: pd.DataFrame) -> None:
    worst = default.sort_values("adjusted_wald").iloc[0]
    assert worst["n"] == 10
    assert {worst["promoters"], worst["detractors"]} == {0.8, 0.0}
    assert worst["adjusted_wald"] == pytest.approx(0.879, abs=5e-4)


def test_the_score_interval_covers_no_less_and_plain_wald_too_little_where_answers_are_few() -> None:
    inner = nps_coverage(15).loc[lambda rows: rows["is_inner"]]
    assert inner["score"].min() >= 0.93
    assert inner["score"].mean() <= 0.97
    assert inner["wald"].min() < 0.85


def test_the_interval_of_a_single_share_covers_it_on_average_as_often_as_it_says() -> None:
    found = wilson_coverage(50)["wilson"]
    assert 0.945 <= found.mean() <= 0.965
    assert found.min() >= 0.915
