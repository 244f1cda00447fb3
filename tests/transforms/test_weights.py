"""Weights against the textbook's raking, and what they say where a margin and the answers do not fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.waves import alone, dqp, empty
from transforms import TransformError
from transforms.weights import blunt, cells_sql, counted_sql, level_of, weights

SAMPLE = {"b1": (20, 50, 100, 30), "b2": (40, 140, 50, 100), "b3": (40, 310, 50, 70)}
POPULATION = {"b1": (80, 60, 170, 55), "b2": (40, 150, 60, 165), "b3": (55, 340, 200, 125)}
A = {f"a{place + 1}": float(sum(row[place] for row in POPULATION.values())) for place in range(4)}
B = {name: float(sum(row)) for name, row in POPULATION.items()}


def cells(sample: Mapping[tuple[str | None, ...], int], *, design: float = 1) -> pd.DataFrame:
    """Cells of these labels and counts, as `weight_cells` makes them."""
    columns = {f"margin_{i + 1}": [labels[i] for labels in sample] for i in range(len(next(iter(sample))))}
    return pd.DataFrame({**columns, "design_weight": design, "answers": list(sample.values())})


def parts(found: pd.DataFrame, number: int) -> dict[str, float]:
    """What part of all weight each category of a margin has, and those who do not say theirs."""
    labels = found[f"margin_{number}"].astype(object).fillna("not said")
    sums = (found["weight"] * found["answers"]).groupby(labels).sum()
    return {str(name): float(part) for name, part in (sums / sums.sum()).items()}


RAKED = cells({(f"a{i + 1}", b): n for b, row in SAMPLE.items() for i, n in enumerate(row)}, design=1.5)


def test_raked_weights_and_design_effect_are_those_of_the_oracle() -> None:
    found = weights(RAKED, {"a": A, "b": B}, min_respondents=10)
    by_cell = found.set_index(["margin_1", "margin_2"])["weight"].unstack()
    expected = [[1.81, 1.45, 2.02], [1.08, 0.87, 1.21], [2.20, 1.76, 2.45], [1.83, 1.47, 2.04]]
    assert by_cell.to_numpy() == pytest.approx(np.array(expected), abs=0.0051)
    weight, answers = (found[name].to_numpy(dtype=np.float64) for name in ("weight", "answers"))
    sums = {"weight_sum": weight @ answers, "weight_square_sum": weight**2 @ answers}
    said = alone({**dqp(0, 0, int(answers.sum())), **sums, "weighted_promoters": sums["weight_sum"]})
    assert said["design_effect"] == pytest.approx(1.0997, abs=5e-5)
    for number, margin in enumerate((A, B), start=1):
        assert parts(found, number) == pytest.approx({name: n / sum(margin.values()) for name, n in margin.items()})


def test_one_margin_is_post_stratification() -> None:
    found = weights(
        cells({("North",): 60, ("South",): 40}), {"region": {"North": 0.4, "South": 0.6}}, min_respondents=1
    )
    assert found["weight"].to_list() == pytest.approx([0.4 / 0.6, 0.6 / 0.4])


def test_numbers_of_people_mean_the_same_as_their_shares() -> None:
    sample = cells({("North",): 60, ("South",): 40})
    shares, people = (
        weights(sample, {"region": region}, min_respondents=1)["weight"].to_list()
        for region in ({"North": 0.4, "South": 0.6}, {"North": 4000, "South": 6000})
    )
    assert shares == people


def test_given_weights_are_where_it_starts() -> None:
    given_weights = cells({("North",): 50, ("South",): 50}).assign(design_weight=[1.0, 3.0])
    balanced = weights(given_weights, {"region": {"North": 0.25, "South": 0.75}}, min_respondents=1)
    assert balanced["weight"].to_list() == pytest.approx([1, 3])
    turned = weights(given_weights, {"region": {"North": 0.5, "South": 0.5}}, min_respondents=1)
    assert turned["weight"].to_list() == pytest.approx([2, 2])


def test_who_does_not_say_keeps_his_share_and_the_others_share_the_rest() -> None:
    sample = cells({("North",): 60, ("South",): 20, (None,): 20})
    found = weights(sample, {"region": {"North": 0.5, "South": 0.5}}, min_respondents=1)
    assert found["weight"].to_list() == pytest.approx([40 / 60, 2, 1])
    assert parts(found, 1) == pytest.approx({"North": 0.4, "South": 0.4, "not said": 0.2})


def raked(start: Any, answers: Any, rows: list[float], columns: list[float]) -> Any:
    """Weights of a table of two margins, by turns until nothing moves: as the textbook has it."""
    weight = np.array(start, dtype=np.float64)
    for _ in range(300):
        weight *= (np.array(rows) / (weight * answers).sum(axis=1))[:, None]
        weight *= np.array(columns) / (weight * answers).sum(axis=0)
    return weight


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        ([[20, 80], [80, 820]], 0.4),  # the first would weigh more than 3 × the mean
        ([[300, 200], [200, 300]], 0.1),  # the first would weigh less than 0.3 × the mean
    ],
)
def test_a_weight_far_from_the_mean_is_trimmed_and_margins_still_hold(answers: list[list[int]], share: float) -> None:
    counts = np.array(answers)
    aims = [counts.sum() * share, counts.sum() * (1 - share)]
    untrimmed = raked(np.ones((2, 2)), counts, aims, aims)
    assert ((untrimmed < 0.3) | (untrimmed > 3)).ravel().tolist() == [True, False, False, False]
    expected = raked(np.clip(untrimmed, 0.3, 3), counts, aims, aims)
    wanted = {"region": {"N": share, "S": 1 - share}, "age": {"old": share, "young": 1 - share}}
    sample: dict[tuple[str | None, ...], int] = {
        (region, age): answers[i][j] for i, region in enumerate("NS") for j, age in enumerate(("old", "young"))
    }
    found = weights(cells(sample), wanted, min_respondents=1)
    assert found["weight"].to_list() == pytest.approx(expected.ravel().tolist(), rel=1e-5)
    assert found["weight"].to_list() != pytest.approx(untrimmed.ravel().tolist(), rel=0.05)
    for number in (1, 2):
        assert list(parts(found, number).values()) == pytest.approx([share, 1 - share], rel=2e-6)


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ({("North",): 60}, "'South' has no answers, or fewer than 10"),
        ({("North",): 60, ("South",): 9}, "'South' has no answers, or fewer than 10"),
        ({("North",): 60, ("South",): 40, ("East",): 1}, "does not know 'East'"),
        ({("North",): 0, ("South",): 0}, "no answer with a score"),
    ],
)
def test_a_category_without_answers_or_without_a_margin_is_a_clear_error(
    sample: Mapping[tuple[str | None, ...], int], says: str
) -> None:
    with pytest.raises(TransformError, match=says):
        weights(cells(sample), {"region": {"North": 0.4, "South": 0.6}}, min_respondents=10)


def test_margins_that_cannot_all_hold_are_an_error_that_names_one() -> None:
    sample = cells({("N", "old"): 50, ("S", "young"): 50})
    with pytest.raises(
        TransformError, match=r"do not settle in 100 rounds: of margin '(region|age)', '(N|S|old|young)'"
    ):
        weights(sample, {"region": {"N": 0.5, "S": 0.5}, "age": {"old": 0.2, "young": 0.8}}, min_respondents=1)


@given(st.lists(st.integers(10, 400), min_size=6, max_size=6), st.lists(st.integers(1, 9), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_margins_hold_the_sum_of_weights_stays_and_effective_answers_are_no_more(
    counts: list[int], shares: list[int]
) -> None:
    sample = cells({(a, b): counts[3 * i + j] for i, a in enumerate("xy") for j, b in enumerate("pqr")})
    wanted = {"one": dict(zip("xy", shares[:2], strict=True)), "two": dict(zip("pqr", shares[2:], strict=True))}
    found = weights(sample, wanted, min_respondents=1)
    assert (found["weight"] * found["answers"]).sum() == pytest.approx(sum(counts), rel=1e-6)
    weight, answers = (found[name].to_numpy(dtype=np.float64) for name in ("weight", "answers"))
    assert (weight @ answers) ** 2 / (weight**2 @ answers) <= sum(counts) * (1 + 1e-12)
    for number, margin in enumerate(wanted.values(), start=1):
        expected = {name: share / sum(margin.values()) for name, share in margin.items()}
        assert parts(found, number) == pytest.approx(expected, rel=2e-6)


def test_margins_that_the_answers_meet_already_change_nothing() -> None:
    sample = cells({("x",): 30, ("y",): 70})
    found = weights(sample, {"one": {"x": 0.3, "y": 0.7}}, min_respondents=1)
    assert found["weight"].to_list() == pytest.approx([1, 1])


def _weighed(rows: list[dict[str, Any]], *, margins: list[str], has_design: bool) -> list[tuple[Any, ...]]:
    """The weights of responses by way of the selects."""
    wanted = {"ticket": {"day": 0.5, "stay": 0.5}, "department": {"Ships": 0.5, "Ports": 0.5}}
    numbered = {
        **{"survey": "s", "batch": 1, "wave": "w", "is_contradictory": False, "department_key": ""},
        **{"score": None, "weight": None},
    }
    with empty() as connection:
        for number, row in enumerate(rows):
            record = {**numbered, "record_number": number, "response_key": str(number), **row}
            names = list(record)
            marks = ", ".join("?" * len(names))
            connection.execute(
                f"insert into core.responses ({', '.join(names)}) values ({marks})", list(record.values())
            )
        connection.execute("create temp view counted as from core.responses")
        made = connection.sql(cells_sql(margins, ["ticket"]), params={"has_design": has_design}).to_arrow_table()
        found = weights(made.to_pandas(), {name: wanted[name] for name in margins}, min_respondents=1)
        connection.register("as_made", pa.Table.from_pandas(found))
        connection.execute(
            "create temp table cell_weights as select * replace (weight::decimal(18, 10) as weight) from as_made"
        )
        connection.execute("alter view counted rename to as_answered")
        connection.execute(f"create temp view counted as {counted_sql(margins, ['ticket'], has_design=has_design)}")
        described = connection.execute("describe core.responses").fetchall()
        assert [column[:2] for column in connection.execute("describe counted").fetchall()] == [
            c[:2] for c in described
        ]
        return connection.execute("select record_number, weight from counted order by record_number").fetchall()


def test_every_answer_with_a_score_gets_the_weight_of_its_cell_and_one_without_has_none() -> None:
    day, stay = {"segments": {"ticket": "day"}}, {"segments": {"ticket": "stay"}}
    rows: list[dict[str, Any]] = [
        {**day, "score": 9},
        {**day, "score": 0},
        {**day, "score": 7},
        {**stay, "score": 9},
        {**stay},
        {"score": 5},
    ]
    found = _weighed(rows, margins=["ticket"], has_design=False)
    assert [None if w is None else round(float(w), 6) for _, w in found] == [0.666667, 0.666667, 0.666667, 2, None, 1]


def test_margins_may_be_over_segments_and_departments_and_start_from_the_weights_that_came() -> None:
    rows = [
        {"segments": {"ticket": ticket}, "department_key": f"{place}\x1fx", "score": 9, "weight": weight}
        for ticket, place, weight in (
            ("day", "Ships", 1),
            ("day", "Ports", 2),
            ("stay", "Ships", 2),
            ("stay", "Ports", 1),
        )
    ]
    lacking = {"segments": {"ticket": "day"}, "department_key": "Ships", "score": 9}
    found = _weighed([*rows, lacking], margins=["ticket", "department"], has_design=True)
    assert [None if w is None else round(float(w), 6) for _, w in found] == [1, 2, 2, 1, None]


def test_a_margin_is_over_a_level_of_departments_unless_a_segment_has_its_name() -> None:
    assert [level_of(name, ["region"]) for name in ("department", "department_2", "region")] == [1, 2, None]
    assert level_of("department", ["department"]) is None


def _metrics() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "department_id": ["all", "ships", "texel", "ports"],
            "parent_id": [None, "all", "ships", "all"],
            "level": [0, 1, 2, 1],
            "status": ["published", "published", "suppressed", "published"],
            **{name: [12.3456, 12.3456, None, 12.3456] for name in ("nps_weighted", "nps_weighted_low")},
            **{
                name: [12.3456, 12.3456, None, 12.3456]
                for name in ("nps_weighted_high", "nps_weighted_se", "effective_responses")
            },
            "design_effect": [1.23456, 1.23456, None, 1.23456],
        }
    )


def test_weighted_figures_are_rounded_so_that_margins_tell_no_small_group() -> None:
    row = blunt(_metrics(), levels=[]).loc[0]
    assert (row["nps_weighted"], row["effective_responses"], row["design_effect"]) == (12.3, 12, 1.23)


def test_above_a_suppressed_department_of_a_margin_there_is_no_weighted_figure() -> None:
    found = blunt(_metrics(), levels=[2]).set_index("department_id")["nps_weighted"]
    assert found.notna().to_dict() == {"all": False, "ships": False, "texel": False, "ports": True}
    assert blunt(_metrics(), levels=[1])["nps_weighted"].notna().to_list() == [True, True, False, True]
