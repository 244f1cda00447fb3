"""Strata and clusters in the error of weighted scores: the textbook's figures, from single answers on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import t

from tests.transforms.waves import empty, metrics, tally
from transforms.sampled import errors, sampled
from transforms.sql import text

Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names
Answer = dict[str, Any]
ORACLE = [(9, 1), (9, 2), (9, 1), (9, 1), (9, 0.5), (7, 1), (7, 1), (7, 2), (0, 1), (0, 0.5)]  # score, weight


def drawn(answers: Sequence[Answer], *, suppressed: Sequence[str] = ()) -> tuple[Frame, Frame]:
    """The rows of the select for these answers, and the metrics without them, which go with the tallies."""
    default = {"survey": "s", "batch": 1, "wave": "w", "department_key": "", "is_contradictory": False, "weight": 1}
    unsaid = {"stratum_key": None, "cluster_key": None}
    rows = [
        {**default, **unsaid, "record_number": number, "response_key": str(number), **answer}
        for number, answer in enumerate(answers, start=1)
    ]
    with empty() as connection:
        connection.register("rows", pa.Table.from_pylist(rows))
        connection.execute("insert into core.responses by name from rows")
        connection.execute("create temp view counted as from core.responses")
        tallied = tally(connection)
        status = ["suppressed" if name in suppressed else "published" for name in tallied["department_key"]]
        pattern = tallied[["department_id"]].assign(status=status)
        connection.register("pattern", pattern)
        strata = connection.sql(text("sampled")).to_arrow_table().to_pandas()
    keys = dict(zip(tallied["department_id"], tallied["department_key"], strict=True))
    made = metrics(tallied, suppressed=[department for department, key in keys.items() if key in suppressed])
    return strata, made.assign(department_key=made["department_id"].map(keys))


def figures(answers: Sequence[Answer], **options: Any) -> Frame:
    """The metrics of these answers, with strata and clusters."""
    strata, made = drawn(answers, **options)
    return sampled(made, strata, min_respondents=1)


def as_scores(values: Sequence[float], weight: float, stratum: int, *, first: int) -> list[Answer]:
    """Values from −1 to 1 as clusters of a promoter and a detractor, weighted so that each cluster has its value."""
    return [
        {"score": score, "weight": weight * (1 + sign * x) / 2, "stratum_key": stratum, "cluster_key": first + number}
        for number, x in enumerate(values)
        for score, sign in ((9, 1), (0, -1))
    ]


def test_without_strata_or_clusters_the_error_is_that_of_the_oracle() -> None:
    whole = figures([{"score": score, "weight": weight} for score, weight in ORACLE]).loc["all"]
    assert whole["nps_weighted"] == pytest.approx(36.3636, abs=5e-5)
    assert whole["nps_weighted_se"] == pytest.approx(23.5775, abs=5e-5)


def test_strata_clusters_and_what_was_not_drawn_are_those_of_the_oracle() -> None:
    """The example of R's survey package, its values divided by ten."""
    answers = as_scores([0.28, 0.41, 0.68, 0.68, 0.92], 3, 1, first=10) + as_scores([0.37, 0.66, 0.42], 4, 2, first=20)
    strata, made = drawn(answers)
    whole = sampled(made, strata, min_respondents=1).loc["all"]
    assert whole["nps_weighted"] == pytest.approx(54.481, abs=5e-4)
    assert whole["nps_weighted_se"] == pytest.approx(7.413, abs=5e-4)
    taken = strata["clusters"].map({5: 5 / 15, 3: 3 / 12})
    assert errors(strata, drawn=taken)["variance"].to_numpy()[0] ** 0.5 == pytest.approx(0.0616, abs=5e-5)


def test_the_interval_is_adjusted_wald_of_the_effective_answers_with_the_degrees_of_freedom_left() -> None:
    answers = as_scores([0.28, 0.41, 0.68, 0.68, 0.92], 3, 1, first=10) + as_scores([0.37, 0.66, 0.42], 4, 2, first=20)
    whole = figures(answers).loc["all"]
    m, se, n = 0.54481, 0.07413, whole["effective_responses"]
    assert n == pytest.approx((1 - m**2) / se**2, rel=1e-3)
    assert whole["design_effect"] == pytest.approx(16 / n)
    p, d = ((1 + m) / 2 * n + 0.75) / (n + 3), ((1 - m) / 2 * n + 0.75) / (n + 3)
    margin = float(t.ppf(0.975, 8 - 2)) * ((p + d - (p - d) ** 2) / (n + 3)) ** 0.5
    assert whole["nps_weighted_low"] == pytest.approx(100 * (p - d - margin), abs=0.01)
    assert whole["nps_weighted_high"] == pytest.approx(min(100, 100 * (p - d + margin)), abs=0.01)


def test_every_department_s_error_is_that_of_the_formula_over_the_clusters_of_the_whole_wave() -> None:
    """Straight from the definition: a cluster without an answer of the department counts as nothing in its stratum."""
    rng = np.random.default_rng(7)
    seen = 0
    for _ in range(4):
        answers = [
            {
                "score": [9, 8, 3, None][rng.integers(4)],
                "weight": float(rng.integers(1, 30)) / 10,
                "stratum_key": [None, 1, 2, 3][rng.integers(4)],
                "cluster_key": [None, 5, 6, 7, 8][rng.integers(5)],
                "department_key": ["", "a", "a\x1fx", "b"][rng.integers(4)],
            }
            for _ in range(rng.integers(8, 40))
        ]
        strata, made = drawn(answers)
        found = errors(strata)["variance"]
        for department, key in zip(made["department_id"], made["department_key"], strict=True):
            if department in found.index:
                assert found[department] == pytest.approx(by_definition(answers, key), abs=1e-12)
                seen += 1
    assert seen >= 14


def by_definition(answers: Sequence[Answer], department_key: str) -> float:
    known = pd.DataFrame(answers).dropna(subset=["score"]).reset_index(drop=True)
    own = pd.Series(-1 - known.index, index=known.index)
    strata, clusters = known["stratum_key"].fillna(0), known["cluster_key"].fillna(own)
    below = known["department_key"].str.startswith(f"{department_key}\x1f")
    inside = below | known["department_key"].eq(department_key) | (department_key == "")
    s, w = np.sign((known["score"] >= 9) * 1.0 - (known["score"] <= 6)), known["weight"].where(inside, 0.0)
    u = w * (s - (w * s).sum() / w.sum()) / w.sum()
    variance = 0.0
    for _, sums in u.groupby([strata, clusters]).sum().groupby(level=0):
        n = len(sums)
        variance += n / (n - 1) * float(((sums - sums.mean()) ** 2).sum()) if n > 1 else float(sums.iloc[0] ** 2)
    return variance


def test_a_stratum_with_a_single_cluster_counts_with_its_distance_to_the_whole() -> None:
    """Left out, it would be certain; with its own mean, it would be as well."""
    two = [{"score": score, "stratum_key": 1, "cluster_key": c} for c in (1, 2) for score in (9, 9, 8, 3)]
    other = [{"score": score, "stratum_key": 2, "cluster_key": 3} for score in (9, 0, 0, 0)]
    strata, _ = drawn([*two, *other])
    whole = errors(strata).loc["all"]
    m = (2 * 1 - 2) / 12
    assert whole["variance"] == pytest.approx(((-2 - 4 * m) / 12) ** 2, abs=1e-12)  # the two clusters are alike
    assert whole["degrees"] == 1


def test_clusters_that_agree_within_make_scores_less_sure_and_strata_that_differ_make_them_surer() -> None:
    journeys = [{"score": 9 if c % 2 else 3, "cluster_key": c} for c in range(20) for _ in range(10)]
    assert figures(journeys).loc["all", "effective_responses"] == pytest.approx(19)
    strata = [
        {"score": s, "stratum_key": h} for h, scores in ((1, (9, 9, 9, 8)), (2, (3, 3, 3, 8))) for s in scores * 25
    ]
    whole = figures(strata).loc["all"]
    assert whole["design_effect"] < 0.5
    assert whole["effective_responses"] > 400


def test_where_too_few_clusters_are_left_there_is_no_weighted_figure() -> None:
    """Ports lie in one journey each way: nobody could say how sure their score is; the whole has enough."""
    ships = [
        {"score": 9 if c % 3 else 3, "cluster_key": c, "department_key": "Ships"} for c in range(12) for _ in range(5)
    ]
    ports = [{"score": score, "cluster_key": 1, "department_key": "Ports"} for score in (9, 9, 3, 8)]
    found = figures([*ships, *ports]).set_index("department")[
        ["nps_weighted", "nps_weighted_low", "nps_weighted_high", "nps_weighted_se", "effective_responses"]
    ]
    assert found.loc["Ports"].isna().all()
    assert found.loc[["Ships", "Organisation"]].notna().all(axis=None)
    strata, made = drawn(ships)
    assert sampled(made, strata, min_respondents=13)["nps_weighted"].isna().all()  # twelve clusters that agree within


def test_a_suppressed_department_has_no_weighted_figure_and_answers_without_a_weight_or_score_count_in_none() -> None:
    answers = [{"score": 9 if n % 2 else 3, "cluster_key": n % 9, "department_key": "ab"[n % 4 > 0]} for n in range(80)]
    without = [{"score": None, "cluster_key": 90}, {"score": 9, "weight": None, "cluster_key": 91}]
    strata, _ = drawn([*answers, *without], suppressed=["a"])
    assert set(strata["clusters"]) == {9}
    assert len(strata) == 2


def test_in_whatever_order_answers_come_the_sums_are_the_same_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    answers = [
        {"score": int(s), "weight": float(w) / 7, "stratum_key": int(h), "cluster_key": int(c)}
        for s, w, h, c in zip(
            rng.integers(0, 11, 400),
            rng.integers(1, 40, 400),
            rng.integers(1, 4, 400),
            rng.integers(0, 60, 400),
            strict=True,
        )
    ]
    one, other = (drawn(rows)[0] for rows in (answers, answers[::-1]))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
