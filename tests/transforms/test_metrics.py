"""Closed formulas against figures from textbooks and other packages, and against the properties they must have."""

from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.waves import ANY_COUNTS, alone, counts, dqp, ladder, metrics, tallies

Z = 1.959963984540054


def test_the_score_is_the_raw_difference_of_shares_in_points() -> None:
    scores = [{"score": score} for score in (0, 7, 7, 9, 9, 9)]
    assert metrics(tallies(scores)).loc["all", "nps"] == pytest.approx(100 / 3, abs=1e-9)
    assert alone(dqp(16, 139, 6))["nps"] == pytest.approx(-6.21, abs=0.005)


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


def test_a_suppressed_department_has_null_for_every_figure_and_others_have_theirs() -> None:
    weights = {"weight_sum": 80, "weight_square_sum": 100, "weighted_promoters": 40, "weighted_detractors": 20}
    people = {"people_told": 60, "people_told_squares": 240, "paired": 20, "paired_told": 60, "paired_acted": 20}
    squares = {"paired_told_squares": 240, "paired_acted_squares": 40, "paired_products": 80}
    told = ladder(40, 20, 20, 12, warned=(20, 10, 10, 4))
    row = {**dqp(20, 20, 40), **told, **weights, **people, **squares, "missing_scores": 3}
    rows = metrics(counts({"all": row, "hidden": row, "shown": row}), suppressed=["hidden"], margin=40)
    columns = rows.columns.tolist()
    figures, place = columns[columns.index("responses") :], columns[: columns.index("responses")]
    assert rows.loc["hidden", figures].isna().all()
    assert rows.loc["hidden", place].tolist() == ["s", "w", "hidden", "hidden", "all", 1, "suppressed"]
    assert rows.loc["shown", figures].drop("nps_weighted_se").notna().all()  # no strata and no clusters are known


def test_the_design_effect_is_how_many_times_as_many_answers_weights_ask_for() -> None:
    figures = metrics(tallies([{"score": score, "weight": Decimal(weight)} for score, weight in WEIGHTED])).loc["all"]
    assert figures["design_effect"] == pytest.approx(10 / 8.344828, abs=5e-7)
    assert pd.isna(alone(dqp(1, 2, 3))["design_effect"])


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
