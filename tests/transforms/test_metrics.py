"""Closed formulas against figures from textbooks and other packages, and against the properties they must have."""

from decimal import Decimal
from math import comb, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.waves import ANY_COUNTS, SPOKE, WARNED, Frame, Row, counts, dqp, metrics, tallies

Z = 1.959963984540054


def alone(row: Row, **options: Any) -> Frame:
    """The metrics of one department with these counts, the organisation being itself."""
    return metrics(counts({"all": row}), **options).loc["all"]


@pytest.mark.parametrize(
    ("row", "low", "high"),
    [
        (dqp(1, 2, 3), -0.2674, 0.7119),
        (dqp(10, 10, 30), 0.1619, 0.5928),
        (dqp(11, 10, 15), -0.1590, 0.3641),
        (dqp(54, 108, 162), 0.2495, 0.4111),
        (dqp(200, 300, 500), 0.2508, 0.3474),
        (dqp(0, 0, 5), 0.1749, 1),
        (dqp(5, 0, 0), -1, -0.1749),
        (dqp(16, 139, 6), -0.1182, -0.0038),
    ],
)
def test_adjusted_wald_intervals_are_those_of_the_literature(row: Row, low: float, high: float) -> None:
    figures = alone(row)
    assert figures["nps_low"] == pytest.approx(100 * low, abs=0.005)
    assert figures["nps_high"] == pytest.approx(100 * high, abs=0.005)


def test_the_score_is_the_raw_difference_of_shares_in_points() -> None:
    scores = [{"score": score} for score in (0, 7, 7, 9, 9, 9)]
    assert metrics(tallies(scores)).loc["all", "nps"] == pytest.approx(100 / 3, abs=1e-9)
    assert alone(dqp(16, 139, 6))["nps"] == pytest.approx(-6.21, abs=0.005)


@pytest.mark.parametrize(
    ("row", "variance"), [(dqp(1, 2, 3), 5 / 9), (dqp(1, 0, 1), 1), (dqp(0, 1, 1), 0.25), (dqp(1, 1, 1), 2 / 3)]
)
def test_the_variance_of_one_answer_is_that_of_the_r_package(row: dict[str, int], variance: float) -> None:
    million = {name: count * 10**6 for name, count in row.items()}  # what adjusting adds is nothing then
    figures = alone(million)
    error = (figures["nps_high"] - figures["nps_low"]) / 200 / Z
    assert error**2 * sum(million.values()) == pytest.approx(variance, abs=1e-5)


def test_promoters_and_detractors_are_not_independent() -> None:
    figures = alone(dqp(75, 675, 250))
    assert figures["nps_low"] == pytest.approx(14.14, abs=0.06)  # 14.36 where their covariance is forgotten
    assert figures["nps_high"] == pytest.approx(20.86, abs=0.06)  # 20.64


WEIGHTED = tuple(zip([9] * 5 + [8] * 3 + [0] * 2, [*"1211", ".5", *"1121", ".5"], strict=True))


def test_weighted_score_and_effective_responses_are_those_of_the_oracle() -> None:
    figures = metrics(tallies([{"score": score, "weight": Decimal(weight)} for score, weight in WEIGHTED])).loc["all"]
    assert figures["nps_weighted"] == pytest.approx(36.3636, abs=5e-5)
    assert figures["effective_responses"] == pytest.approx(8.344828, abs=5e-7)
    n = figures["effective_responses"]
    p, d = (5.5 / 11 * n + 0.75) / (n + 3), (1.5 / 11 * n + 0.75) / (n + 3)
    margin = Z * sqrt((p + d - (p - d) ** 2) / (n + 3))
    assert figures["nps_weighted_low"] == pytest.approx(100 * (p - d - margin), abs=1e-8)
    assert figures["nps_weighted_high"] == pytest.approx(100 * (p - d + margin), abs=1e-8)


def test_without_weights_weighted_figures_are_null() -> None:
    names = ["nps_weighted", "nps_weighted_low", "nps_weighted_high", "effective_responses"]
    assert alone(dqp(1, 2, 3))[names].isna().all()
    weightless = {"weight_sum": 0, "weight_square_sum": 0, "weighted_promoters": 0, "weighted_detractors": 0}
    assert alone({**dqp(1, 2, 3), **weightless})[names].isna().all()


def ladder(*super_counts: int, warned: tuple[int, ...] = (0, 0, 0, 0)) -> dict[str, int]:
    """Counts from the known to those with effect, of promoters and of detractors."""
    return dict(zip((*SPOKE, *WARNED), (*super_counts, *warned), strict=True))


def test_wilson_interval_of_12_of_80_is_that_of_the_oracle() -> None:
    figures = alone({**dqp(20, 20, 40), **ladder(40, 20, 20, 12)})
    assert figures["superpromoter_rate"] == pytest.approx(0.15)
    assert figures["superpromoter_rate_low"] == pytest.approx(0.087940, abs=5e-7)
    assert figures["superpromoter_rate_high"] == pytest.approx(0.244132, abs=5e-7)


@pytest.mark.parametrize("told", [ladder(500, 400, 400, 200), ladder(250, 200, 200, 100), ladder(250, 200, 100, 50)])
def test_superpromoters_do_not_become_fewer_when_promoters_skip_a_question(told: Row) -> None:
    figures = alone({**dqp(200, 300, 500), **told})
    assert figures["superpromoter_rate"] == pytest.approx(0.2)
    assert figures["superpromoters"] == told["superpromoters"]


def test_fewer_answers_to_a_factor_make_the_interval_wider() -> None:
    known = {
        name: {**dqp(200, 300, 500), **ladder(*told)}
        for name, told in {"all": (500, 400, 400, 200), "half": (250, 200, 200, 100), "few": (25, 20, 20, 10)}.items()
    }
    rows = metrics(counts(known))
    width = rows["superpromoter_rate_high"] - rows["superpromoter_rate_low"]
    assert width["all"] < width["half"] < width["few"]


def test_the_variance_of_the_rate_is_that_of_the_three_factors() -> None:
    n, members, known, told, effect_known, effect = 300, 120, 80, 50, 30, 12
    rate = members / n * told / known * effect / effect_known
    factors = ((members / n, n), (told / known, known), (effect / effect_known, effect_known))
    variance = rate**2 * sum((1 - share) / (base * share) for share, base in factors)
    low, high = wilson(rate, rate * (1 - rate) / variance)
    figures = alone({**dqp(90, 90, 120), **ladder(known, told, effect_known, effect)})
    assert figures["superpromoter_rate"] == pytest.approx(rate, abs=1e-10)
    assert figures["superpromoter_rate_low"] == pytest.approx(low, abs=1e-9)
    assert figures["superpromoter_rate_high"] == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(
    ("row", "told", "rate", "trials"),
    [
        (dqp(60, 40, 0), ladder(0, 0, 0, 0), 0, 100),  # no promoters: over all answers
        (dqp(30, 30, 40), ladder(20, 0, 0, 0), 0, 100 * 20 / 40),  # none of those who said so told
        (dqp(30, 30, 40), ladder(20, 16, 8, 0), 0, 100 * 20 / 40 * 8 / 16),  # none had effect
        (dqp(0, 0, 40), ladder(20, 20, 10, 10), 1, 40 * 20 / 40 * 10 / 20),  # all did
    ],
)
def test_rates_of_0_and_1_have_the_interval_of_those_who_answered(
    row: Row, told: Row, rate: float, trials: float
) -> None:
    others = {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}  # so that the questions were asked
    figures = metrics(counts({"all": others, "here": {**row, **told}})).loc["here"]
    assert figures["superpromoter_rate"] == rate
    found = [figures["superpromoter_rate_low"], figures["superpromoter_rate_high"]]
    assert found == pytest.approx(wilson(rate, trials), abs=1e-9)


def wilson(rate: float, trials: float) -> tuple[float, float]:
    middle = rate + Z**2 / (2 * trials)
    margin = Z * sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2))
    return (middle - margin) / (1 + Z**2 / trials), (middle + margin) / (1 + Z**2 / trials)


SUPER = ["superpromoters", "superpromoter_rate", "superpromoter_rate_low", "superpromoter_rate_high"]


def test_questions_that_were_not_asked_leave_all_their_figures_null() -> None:
    figures = alone(dqp(20, 20, 40))
    assert figures[[*SUPER, "sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter"]].isna().all()
    telling = alone({**dqp(20, 20, 40), **ladder(40, 20, 0, 0)})
    assert telling["sharing_rate"] == 0.5
    assert telling[[*SUPER, "influence_rate"]].isna().all()


def test_a_factor_without_any_answer_makes_the_rate_null_here_and_not_elsewhere() -> None:
    asked = {**dqp(20, 20, 40), **ladder(40, 20, 20, 12)}
    rows = metrics(counts({"all": asked, "silent": {**dqp(20, 20, 40), **ladder(0, 0, 0, 0)}, "asked": asked}))
    assert pd.isna(rows.loc["silent", "superpromoter_rate"])
    assert rows.loc["silent", "superpromoters"] == 0
    assert rows.loc["asked", "superpromoter_rate"] == pytest.approx(0.15)


def test_antipromoters_mirror_superpromoters_and_net_is_the_difference() -> None:
    figures = alone({**dqp(40, 20, 20), **ladder(20, 10, 10, 4, warned=(40, 20, 20, 12))})
    assert figures["antipromoter_rate"] == pytest.approx(0.15)
    assert figures["net_superpromoter"] == pytest.approx(0.05 - 0.15)


def test_a_figure_on_fewer_than_the_minimum_is_null_each_for_itself() -> None:
    row = {**dqp(5, 5, 30), **ladder(9, 9, 9, 9, warned=(5, 2, 2, 1))}
    weights = {"weight_sum": 40, "weight_square_sum": 200, "weighted_promoters": 30, "weighted_detractors": 5}
    figures = alone({**row, **weights}, min_respondents=10)
    assert figures["nps"] == 62.5
    assert figures["effective_responses"] == 8
    assert figures[["nps_weighted", "nps_weighted_low", "nps_weighted_high"]].isna().all()
    assert figures[["sharing_rate", "influence_rate"]].isna().all()
    assert figures["superpromoters"] == 9
    assert figures["antipromoter_rate"] == 1 / 40  # over all 40 answers, however few detractors there are


def test_a_superpromoter_rate_that_stands_on_fewer_trials_than_the_minimum_is_null() -> None:
    few = {**dqp(300, 200, 500), **ladder(4, 2, 2, 1)}
    assert alone(few, min_respondents=10)[SUPER[1:]].isna().all()
    assert alone(few, min_respondents=3)[SUPER[1:]].notna().all()


def test_ten_complete_answers_are_enough_for_a_minimum_of_ten() -> None:
    for promoters in range(11):
        row = {**dqp(0, 10 - promoters, promoters), **ladder(*[promoters] * 4)}
        asked = {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}
        figures = metrics(counts({"all": asked, "here": row}), min_respondents=10).loc["here"]
        assert figures["superpromoter_rate"] == promoters / 10


def test_a_suppressed_department_has_null_for_every_figure_and_others_have_theirs() -> None:
    row = {**dqp(20, 20, 40), **ladder(40, 20, 20, 12), "missing_scores": 3}
    rows = metrics(counts({"all": row, "hidden": row, "shown": row}), suppressed=["hidden"])
    columns = rows.columns.tolist()
    figures = columns[columns.index("responses") :]
    assert rows.loc["hidden", figures].isna().all()
    assert rows.loc["hidden", columns[: columns.index("responses")]].tolist() == [
        "s",
        "w",
        "hidden",
        "hidden",
        "all",
        1,
        "suppressed",
    ]
    assert (
        rows.loc["shown", figures]
        .drop(
            [
                "nps_weighted",
                "nps_weighted_low",
                "nps_weighted_high",
                "effective_responses",
                "antipromoter_rate",
                "net_superpromoter",
            ]
        )
        .notna()
        .all()
    )


def test_a_department_without_answers_has_counts_of_zero_and_no_figures() -> None:
    rows = metrics(counts({"all": {**dqp(20, 20, 40), **ladder(40, 20, 20, 12)}, "empty": {"missing_scores": 4}}))
    empty = rows.loc["empty"]
    assert [empty[name] for name in ("responses", "missing_scores", "promoters", "superpromoters")] == [0, 4, 0, 0]
    assert empty[["nps", "nps_low", "nps_high", "superpromoter_rate", "sharing_rate"]].isna().all()


def test_san_francisco_airport_2017_weighted_and_unweighted(survey_data: Path) -> None:
    path = survey_data / "sfo-2017" / "responses.csv"
    answers = pd.read_csv(path, usecols=["NETPRO", "WEIGHT", "BAREA"], dtype=str)
    scores = pd.to_numeric(answers["NETPRO"]).replace(11, np.nan)
    rows = metrics(
        tallies(
            [
                {"score": None if np.isnan(score) else int(score), "weight": Decimal(weight), "department_key": area}
                for score, weight, area in zip(scores, answers["WEIGHT"], answers["BAREA"], strict=True)
            ]
        ),
        min_respondents=10,
    )
    assert rows.loc["all", "nps"] == pytest.approx(39.8398, abs=5e-5)
    assert rows.loc["all", "nps_weighted"] == pytest.approx(40.3984, abs=5e-5)
    assert rows["department"].tolist() == ["Organisation", *"ABCDEFG"]
    assert (rows["effective_responses"].round(6) <= rows["responses"]).all()
    assert rows.loc["all", "effective_responses"] == pytest.approx(2266.512355, abs=1e-6)  # (Σw)² / Σw², by pandas


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS)
def test_swapping_promoters_and_detractors_mirrors_the_score_and_its_interval(row: dict[str, int]) -> None:
    mirrored = {**row, "promoters": row["detractors"], "detractors": row["promoters"]}
    rows = metrics(counts({"all": row, "mirrored": mirrored}))
    assert rows.loc["all", "nps"] == -rows.loc["mirrored", "nps"]
    assert rows.loc["all", "nps_low"] == -rows.loc["mirrored", "nps_high"]
    assert rows.loc["all", "nps_high"] == -rows.loc["mirrored", "nps_low"]


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS, weight=st.decimals("0.001", 50, places=3))
def test_equal_weights_change_nothing(row: dict[str, int], weight: Decimal) -> None:
    n = sum(row.values())
    weights = {
        "weight_sum": n * weight,
        "weight_square_sum": n * weight**2,
        "weighted_promoters": row["promoters"] * weight,
        "weighted_detractors": row["detractors"] * weight,
    }
    figures = alone({**row, **weights})
    assert figures["effective_responses"] == pytest.approx(n)
    for name in ("nps", "nps_low", "nps_high"):
        assert figures[name.replace("nps", "nps_weighted")] == pytest.approx(figures[name], abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(
    answers=st.lists(
        st.fixed_dictionaries({"score": st.integers(0, 10), "weight": st.decimals("0.01", 9, places=2)}),
        min_size=1,
        max_size=20,
    )
)
def test_effective_responses_are_never_more_than_responses(answers: list[dict[str, Any]]) -> None:
    figures = metrics(tallies(answers)).loc["all"]
    assert 0 < figures["effective_responses"] <= figures["responses"] + 1e-9


@settings(max_examples=15, deadline=None)
@given(left=ANY_COUNTS, right=ANY_COUNTS)
def test_a_parent_is_the_mean_of_its_children_weighted_by_their_responses(
    left: dict[str, int], right: dict[str, int]
) -> None:
    rows = metrics(counts({"all": {name: left[name] + right[name] for name in left}, "left": left, "right": right}))
    children = rows.iloc[1:]
    mean = (children["nps"] * children["responses"]).sum() / children["responses"].sum()
    assert rows.loc["all", "nps"] == pytest.approx(mean, abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS)
def test_a_passive_more_moves_the_score_toward_zero(row: dict[str, int]) -> None:
    rows = metrics(counts({"all": row, "more": {**row, "passives": row["passives"] + 1}}))
    before, after = rows["nps"]
    assert abs(after) < abs(before) if before else after == 0


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS, shares=st.tuples(*[st.floats(0, 1)] * 3))
def test_on_complete_answers_the_rate_has_the_interval_of_a_plain_share(
    row: dict[str, int], shares: tuple[float, ...]
) -> None:
    members, n = row["promoters"], sum(row.values())
    told = round(members * shares[0])
    effect = round(told * shares[1])
    asked = {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}
    rows = metrics(counts({"all": asked, "here": {**row, **ladder(members, told, told, effect)}}))
    found = rows.loc["here", ["superpromoter_rate", "superpromoter_rate_low", "superpromoter_rate_high"]]
    assert found.tolist() == pytest.approx([effect / n, *wilson(effect / n, n)], abs=1e-8)


@pytest.mark.parametrize("n", [10, 20, 40])
def test_the_interval_covers_the_truth_as_often_as_it_says(n: int) -> None:
    outcomes = [(d, n - d - p, p) for d in range(n + 1) for p in range(n + 1 - d)]
    rows = metrics(counts({"all" if not i else f"outcome {i}": dqp(*c) for i, c in enumerate(outcomes)}))
    low, high = rows["nps_low"].to_numpy(), rows["nps_high"].to_numpy()
    ways = np.array([comb(n, d) * comb(n - d, q) for d, q, _ in outcomes], dtype=float)
    exponents = np.array(outcomes)
    coverage = []
    for d in range(1, 19):
        for p in range(1, 20 - d):
            shares = np.array([d, 20 - d - p, p]) / 20
            truth = 100 * (shares[2] - shares[0])
            covered = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
            coverage.append(float((ways * np.prod(shares**exponents, axis=1))[covered].sum()))
    assert 0.945 <= np.mean(coverage) <= 0.96
    assert min(coverage) >= 0.925
