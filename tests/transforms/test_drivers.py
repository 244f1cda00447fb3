"""Johnson's relative weights against the textbook's figures, and what a wave's drivers say and keep to themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.waves import key
from transforms.departments import departments
from transforms.drivers import drivers, left_out, rated, step
from transforms.johnson import bootstrap, correlations, relative_weights
from transforms.ratings import rating_sample, rating_sums, ratings

Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names
Rows = Sequence[tuple[Any, ...]]  # department, score, ratings…; told and acted are 0 but for superpromoters

MTCARS = (  # mpg, cyl, disp, hp, wt (Henderson and Velleman 1981, as in R)
    (21, 6, 160, 110, 2.62), (21, 6, 160, 110, 2.875), (22.8, 4, 108, 93, 2.32), (21.4, 6, 258, 110, 3.215),
    (18.7, 8, 360, 175, 3.44), (18.1, 6, 225, 105, 3.46), (14.3, 8, 360, 245, 3.57), (24.4, 4, 146.7, 62, 3.19),
    (22.8, 4, 140.8, 95, 3.15), (19.2, 6, 167.6, 123, 3.44), (17.8, 6, 167.6, 123, 3.44), (16.4, 8, 275.8, 180, 4.07),
    (17.3, 8, 275.8, 180, 3.73), (15.2, 8, 275.8, 180, 3.78), (10.4, 8, 472, 205, 5.25), (10.4, 8, 460, 215, 5.424),
    (14.7, 8, 440, 230, 5.345), (32.4, 4, 78.7, 66, 2.2), (30.4, 4, 75.7, 52, 1.615), (33.9, 4, 71.1, 65, 1.835),
    (21.5, 4, 120.1, 97, 2.465), (15.5, 8, 318, 150, 3.52), (15.2, 8, 304, 150, 3.435), (13.3, 8, 350, 245, 3.84),
    (19.2, 8, 400, 175, 3.845), (27.3, 4, 79, 66, 1.935), (26, 4, 120.3, 91, 2.14), (30.4, 4, 95.1, 113, 1.513),
    (15.8, 8, 351, 264, 3.17), (19.7, 6, 145, 175, 2.77), (15, 8, 301, 335, 3.57), (21.4, 4, 121, 109, 2.78),
)  # fmt: skip
NAMES = ("crew", "price", "it's food")
SCALES = dict.fromkeys(NAMES, (1, 5))


def made(rows: Rows, *, names: Sequence[str] = NAMES, **asked: Any) -> Any:
    """The drivers of these answers, by department and driver."""
    scales = asked.pop("scales", dict.fromkeys(names, (1, 5)))
    sums, sample, tree = summed(rows, names=names, **asked)
    found = drivers(sums, sample, scales, seed="s|w")
    paths = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    return found.assign(path=[paths[name] for name in found["department_id"]]).set_index(["path", "driver"], drop=False)


def summed(
    rows: Rows,
    *,
    names: Sequence[str] = NAMES,
    threads: int = 2,
    hidden: Sequence[str] = (),
    min_respondents: int = 10,
    people: Sequence[int | None] = (),
) -> tuple[Frame, Frame, Frame]:
    """The sums, the sample and the tree of these answers, as a run makes them."""
    records = [
        _record(number, row, names) | {"respondent_key": person}
        for number, (row, person) in enumerate(zip(rows, people or [None] * len(rows), strict=True), start=1)
    ]
    with duckdb.connect(config={"threads": threads}) as connection:
        types = {"department_key": pa.string(), "score": pa.int8(), "response_key": pa.string()}
        types |= {"told_count": pa.int32(), "acted_count": pa.int32(), "is_copied": pa.bool_()}
        types |= {"drivers": pa.map_(pa.string(), pa.float64()), "respondent_key": pa.int64()}
        types |= {"responded_at": pa.timestamp("us"), "batch": pa.int32(), "record_number": pa.int64()}
        connection.register("counted", pa.Table.from_pylist(records, schema=pa.schema(list(types.items()))))
        parameters = {"told_min": 1, "acted_is_asked": True, "copied_is_asked": True}
        connection.execute(f"create temp table ratings as {ratings(names)}", parameters)
        tree = departments({row[0] for row in rows}, organisation="Organisation")
        nodes = tree[["department_id", "department_key", "position"]]
        pattern = tree[["department_id"]].assign(
            status=["suppressed" if path in hidden else "published" for path in tree["department_key"]]
        )
        for name, frame in (("nodes", nodes), ("patterns", pattern)):
            connection.register(name, pa.Table.from_pandas(frame))
        connection.execute("create temp table department_nodes as from nodes")
        connection.execute("create temp table pattern as from patterns")
        sums = connection.sql(rating_sums(names)).to_arrow_table().to_pandas()
        sums = rated(sums, tree, drivers=len(names), min_respondents=min_respondents)
        connection.register("rated_departments", pa.Table.from_pandas(sums[["department_id"]]))
        sample = connection.sql(rating_sample(names), params={"most": 1000}).to_arrow_table().to_pandas()
    return sums, sample, tree


def _record(number: int, row: tuple[Any, ...], names: Sequence[str]) -> dict[str, Any]:
    path, score, *given = row
    told = given.pop() if len(given) > len(names) else 0
    drivers = [(name, rating) for name, rating in zip(names, given, strict=True) if rating is not None]
    asked = {"told_count": told, "acted_count": told, "is_copied": None}
    asked |= {"responded_at": datetime(2026, 10, 1) + timedelta(minutes=number), "batch": 1, "record_number": number}
    return {"department_key": path, "score": score, "response_key": str(number), "drivers": drivers, **asked}


def answers(count: int, *, seed: int = 1, path: str = "", weights: Sequence[float] = (3, 2, 1)) -> Rows:
    """Ratings of 1 to 5 and a score that follows them with these weights; who gives a 10 told somebody, who acted."""
    rng = np.random.default_rng(seed)
    given = rng.integers(1, 6, (count, len(weights)))
    leaning = (given - 3) @ np.array(weights) / 2 + rng.normal(0, 1.5, count)
    scores = np.clip(np.rint(7.5 + leaning), 0, 10).astype(int)
    return [(path, int(score), *map(float, row), int(score == 10)) for score, row in zip(scores, given, strict=True)]


def test_relative_weights_are_those_of_the_oracle_and_sum_to_r_squared() -> None:
    cars = np.array(MTCARS)
    found = correlations(len(cars), cars.sum(axis=0), cars.T @ cars)
    weights = relative_weights(found[1:, 1:], found[1:, 0])
    assert weights == pytest.approx([0.2096904, 0.1883043, 0.1799590, 0.2706812], abs=5e-8)
    assert weights.sum() == pytest.approx(0.848635, abs=5e-7)


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_relative_weights_are_never_negative_sum_to_r_squared_and_do_not_hang_on_order(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(60, p + 1)) @ rng.normal(size=(p + 1, p + 1))
    found: Any = np.corrcoef(data, rowvar=False)
    weights = relative_weights(found[1:, 1:], found[1:, 0])
    assert (weights > -1e-12).all()
    r_squared = found[1:, 0] @ np.linalg.solve(found[1:, 1:], found[1:, 0])
    assert weights.sum() == pytest.approx(r_squared, rel=1e-6)
    turned = [0, *range(p, 0, -1)]
    mirrored = found[np.ix_(turned, turned)]
    assert relative_weights(mirrored[1:, 1:], mirrored[1:, 0])[::-1] == pytest.approx(weights, abs=1e-9)


def test_figures_from_sums_are_those_of_the_responses_themselves() -> None:
    rows = answers(400)
    found = made(rows)
    data = _array(rows)
    matrix = np.corrcoef(data, rowvar=False)
    weights = relative_weights(matrix[1:, 1:], matrix[1:, 0])
    assert found["importance"].to_list() == pytest.approx(list(weights / weights.sum()), abs=5.1e-5)
    assert found["r_squared"].to_list() == pytest.approx([weights.sum()] * 3, abs=5.1e-5)
    assert set(found["responses"]) == {400}
    superpromoters, promoters = data[data[:, 0] == 10], data[data[:, 0] >= 9]
    assert found["rating_superpromoters"].to_list() == pytest.approx(
        list(superpromoters[:, 1:].mean(axis=0)), abs=0.051
    )
    assert found["rating_promoters"].to_list() == pytest.approx(list(promoters[:, 1:].mean(axis=0)), abs=0.051)


def test_only_responses_with_a_score_and_every_rating_count() -> None:
    lacking = [("", None, 5.0, 5.0, 5.0), ("", 9, None, 5.0, 5.0), ("", 9, 5.0, float("inf"), 5.0)]
    assert set(made([*answers(100), *lacking])["responses"]) == {100}


def test_each_person_counts_once_by_the_newest_answer_with_every_rating() -> None:
    """What somebody said before weighs nothing, and 29 people who answered a hundred times are 29."""
    rows, last = answers(100), [("", 9, 5.0, 5.0, 1.0, 1), ("", 9, None, 2.0, 2.0)]
    often = [*rows, *answers(40, seed=7), *last]
    people = [*range(100), *([100] * 40), *([100] * 2)]
    figures = ["responses", "importance", "r_squared", "rating_superpromoters", "rating_promoters", "rating_passives"]
    pd.testing.assert_frame_equal(made(often, people=people)[figures], made([*rows, last[0]])[figures])
    assert made(rows, people=[place % 29 for place in range(len(rows))]).empty
    assert made(rows, people=[place % 30 for place in range(len(rows))])["responses"].to_list() == [30] * 3


def test_the_true_order_is_found_and_intervals_hold_the_figures() -> None:
    found = made(answers(800))
    assert list(found.sort_values("importance", ascending=False)["driver"]) == list(NAMES)
    assert (found["importance_low"] < found["importance"]).all()
    assert (found["importance_high"] > found["importance"]).all()
    assert found["importance"].sum() == pytest.approx(1, abs=2e-4)


def test_intervals_hold_the_true_importance_about_as_often_as_they_say() -> None:
    true = _importances(_array(answers(50_000, seed=99)))
    held = []
    for seed in range(90):
        low, high = np.quantile(bootstrap(_array(answers(250, seed=seed)), seed=str(seed)), [0.025, 0.975], axis=0)
        held += list((low <= true) & (true <= high))
    assert 0.92 <= sum(held) / len(held) <= 0.98


def test_each_department_and_each_wave_draws_anew_also_where_the_answers_are_the_same() -> None:
    """The same error of drawing would not be everywhere at once."""
    sums, sample, _ = summed(answers(100))
    names = ["texel", "vlieland"]
    twice = (pd.concat([one.assign(department_id=name) for name in names]) for one in (sums, sample))
    sums, sample = (one.reset_index(drop=True) for one in twice)
    now, later = (drivers(sums, sample, SCALES, seed=seed).set_index("department_id") for seed in ("s|w", "s|w2"))
    ends = ["importance_low", "importance_high"]
    for one, other in ((now.loc["texel"], now.loc["vlieland"]), (now.loc["texel"], later.loc["texel"])):
        assert one["importance"].tolist() == other["importance"].tolist()
        assert one[ends].to_numpy().tolist() != other[ends].to_numpy().tolist()


def _array(rows: Rows) -> Any:
    return np.array([row[1:5] for row in rows], dtype=float)


def _importances(data: Any) -> Any:
    found = np.corrcoef(data, rowvar=False)
    weights = relative_weights(found[1:, 1:], found[1:, 0])
    return weights / weights.sum()


def test_more_responses_than_are_drawn_from_give_a_narrower_interval_by_the_root_of_their_number() -> None:
    few, many = made(answers(1000, seed=5)), made(answers(16_000, seed=5))
    width = [float((found["importance_high"] - found["importance_low"]).mean()) for found in (few, many)]
    assert width[0] / width[1] == pytest.approx(4, rel=0.3)


def test_the_same_answers_give_the_same_figures_in_any_order_and_on_any_number_of_threads() -> None:
    rows = [*answers(1500), *answers(300, seed=2, path=key("Ships", "Texel"))]
    first = made(rows, threads=1)
    pd.testing.assert_frame_equal(first, made(rows, threads=4))
    draws = bootstrap(_array(rows), seed="s|w|all")
    again = bootstrap(_array(rows), seed="s|w|all")
    assert np.array_equal(draws, again)
    assert len(draws) >= 500
    assert not np.array_equal(draws, bootstrap(_array(rows), seed="s|w|texel"))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda row: (*row[:2], 3.0, *row[3:]), {"crew": "constant"}),
        (lambda row: (*row[:3], 6 - row[2], *row[4:]), {"price": "collinear"}),
        (lambda row: (*row[:4], (row[2] + row[3]) / 2, *row[5:]), {"it's food": "collinear"}),
    ],
)
def test_a_driver_that_tells_nothing_of_its_own_is_left_out_with_the_reason(spoil: Any, reason: dict[str, str]) -> None:
    found = made([spoil(row) for row in answers(200)]).loc[""]
    assert {name: why for name, why in found["left_out"].items() if pd.notna(why)} == reason
    out = found["left_out"].notna()
    assert found.loc[out, ["importance", "importance_low", "importance_high", "kind"]].isna().all(axis=None)
    assert found.loc[~out, "importance"].sum() == pytest.approx(1, abs=2e-4)


def test_drivers_that_never_vary_are_left_out_all_of_them() -> None:
    found = made([(row[0], row[1], 4.0, 4.0, 4.0) for row in answers(100)])
    assert set(found["left_out"]) == {"constant"}
    assert found["importance"].isna().all()
    assert left_out(np.eye(2), np.array([False, True])) == ["constant", None]


def test_under_ten_responses_per_driver_or_the_minimum_or_of_one_class_there_is_no_row() -> None:
    assert made(answers(29)).empty
    assert not made(answers(30)).empty
    assert made(answers(30), min_respondents=31).empty
    assert made([(row[0], 10, *row[2:]) for row in answers(100)]).empty


def test_a_suppressed_department_has_no_row() -> None:
    texel = key("Ships", "Texel")
    rows = [*answers(100), *answers(100, seed=2, path=texel)]
    assert set(made(rows)["path"]) == {"", "Ships", texel}
    assert set(made(rows, hidden=[texel])["path"]) == {"", "Ships"}


def test_what_is_left_by_subtraction_is_nobody_or_enough_who_rated() -> None:
    """Of the organisation's ratings all but three are Texel's and Ameland's: the smaller of the two is not shown."""
    texel, ameland = key("Texel"), key("Ameland")
    rows = [*answers(3), *answers(60, seed=2, path=texel), *answers(50, seed=3, path=ameland)]
    assert set(made(rows)["path"]) == {"", texel}
    assert set(made([*answers(10), *rows[3:]])["path"]) == {"", texel, ameland}
    assert set(made(rows[3:])["path"]) == {"", texel, ameland}


def test_a_mean_rating_of_fewer_than_the_minimum_is_null() -> None:
    rows = [*((*row[:-1], 0) for row in answers(200)), *[("", 10, 5.0, 5.0, 5.0, 1)] * 9]
    assert made(rows)["rating_superpromoters"].isna().all()
    assert made([*rows, ("", 10, 5.0, 5.0, 5.0, 1)])["rating_superpromoters"].to_list() == [5.0, 5.0, 5.0]


def test_a_mean_rating_is_told_where_nobody_or_enough_of_the_group_are_left_by_subtraction() -> None:
    """Fifteen superpromoters of whom fourteen are Texel's give one away: Texel does not tell how they rate."""
    texel = key("Texel")
    quiet = [(*row[:-1], 0) for row in answers(100)]
    rows = [*quiet, *((texel, *row[1:]) for row in quiet), *[(texel, 10, 5.0, 5.0, 5.0, 1)] * 14]
    last = ("", 10, 4.0, 5.0, 5.0, 1)
    for more, is_told in ((0, True), (1, False), (9, False), (10, True)):
        found = made([*rows, *[last] * more])
        assert found.loc["", "rating_superpromoters"].notna().all()
        assert found.loc[texel, "rating_superpromoters"].notna().all() == is_told
        assert found.loc[texel, "rating_promoters"].notna().all()


def test_promoters_who_are_no_superpromoters_are_none_or_enough() -> None:
    """Eleven promoters of whom ten are superpromoters: both means together would tell how the one rates."""
    others = [(row[0], min(row[1], 8), *row[2:-1], 0) for row in answers(100)]
    supers, quiet = ("", 10, 5.0, 5.0, 5.0, 1), ("", 10, 1.0, 5.0, 5.0, 0)
    for more, is_told in ((0, True), (1, False), (9, False), (10, True)):
        found = made([*others, *[supers] * 10, *[quiet] * more])
        assert found["rating_superpromoters"].notna().all() == is_told
        assert found["rating_promoters"].notna().all()


def test_promoters_who_are_no_superpromoters_are_none_or_enough_by_subtraction_too() -> None:
    """Texel has 12 of them and the whole 13: Texel tells how its promoters rate, and not how its superpromoters do."""
    texel = key("Texel")
    others = [(path, min(row[1], 8), *row[2:-1], 0) for path in ("", texel) for row in answers(100)]
    supers, quiet = (10, 5.0, 5.0, 5.0, 1), (10, 4.0, 5.0, 5.0, 0)
    rows = [*others, *[("", *supers)] * 10, *[(texel, *supers)] * 12, *[(texel, *quiet)] * 12]
    for more, is_told in ((0, True), (1, False), (9, False), (10, True)):
        found = made([*rows, *[("", *quiet)] * more])
        assert found.loc[texel, "rating_superpromoters"].notna().all() == is_told
        assert found.loc["", "rating_superpromoters"].notna().all()
        assert found["rating_promoters"].notna().all()


def test_a_few_are_not_told_by_promoters_of_one_part_less_superpromoters_of_all() -> None:
    """Texel tells promoters alone: less the whole's others, 1 quiet one elsewhere and 3 of its supers would be left."""
    texel = key("Texel")
    others = [(path, min(row[1], 8), *row[2:-1], 0) for path in ("", texel) for row in answers(100)]
    supers, quiet = (10, 5.0, 5.0, 5.0, 1), (10, 4.0, 5.0, 5.0, 0)
    rows = [*others, *[("", *supers)] * 20, ("", *quiet), *[(texel, *supers)] * 3, *[(texel, *quiet)] * 20]
    found = made(rows)
    assert found["rating_promoters"].notna().all()
    assert found["rating_superpromoters"].isna().all()


PLACES = ("", "A", key("A", "a1"), key("A", "a2"), "B")
ABOVE = {
    place: [above for above in PLACES if above in ("", place) or place.startswith(above + chr(31))] for place in PLACES
}
SIGNS = np.indices((3,) * (2 * len(PLACES)), dtype=np.int8).reshape(2 * len(PLACES), -1).T - 1


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_no_sum_or_difference_of_means_is_of_a_few_promoters(own: list[tuple[int, int]]) -> None:
    """Whatever is added and subtracted of both groups' sums in five departments, three people are left, or nobody."""
    tree = departments(set(PLACES), organisation="Organisation")
    inside = np.array([[place in ABOVE[cell] for cell in PLACES] for place in PLACES], dtype=int)
    supers, others = (inside @ np.array(own)).T
    ids = dict(zip(tree["department_key"], tree["department_id"], strict=True))
    names = {"superpromoters": supers, "promoters": supers + others, "passives": 40}
    counted = {f"sum_{name}": counts for name, counts in names.items()}
    sums = pd.DataFrame({"department_id": [ids[place] for place in PLACES], "sum_responses": 40 + supers + others})
    told = rated(sums.assign(**counted), tree, drivers=1, min_respondents=3).set_index("department_id")
    tells = told[["tells_promoters", "tells_superpromoters"]].reindex(
        [ids[place] for place in PLACES], fill_value=False
    )
    promoters, superpromoters = (inside * tells[[name]].to_numpy(int) for name in tells)
    of_others = SIGNS[:, : len(PLACES)] @ promoters
    of_supers = of_others + SIGNS[:, len(PLACES) :] @ superpromoters
    left = (of_supers != 0) @ np.array(own)[:, 0] + (of_others != 0) @ np.array(own)[:, 1]
    assert set(left[left < 3]) <= {0}


@pytest.mark.parametrize(
    ("width", "steps"), [(4, 0.1), (10, 0.2), (6, 0.2), (2, 0.05), (1, 0.02), (99, 2), (20, 0.5), (1000, 20), (0, 0.02)]
)
def test_a_mean_rating_is_told_in_about_forty_steps_of_its_scale(width: float, steps: float) -> None:
    assert step(width) == pytest.approx(steps)


def test_every_department_tells_a_driver_in_the_same_steps_whatever_the_range_of_its_own_ratings() -> None:
    texel = key("Texel")
    wide = [(*row[:2], 1 + (row[2] - 1) * 24.75, *row[3:]) for row in answers(300)]
    rows = [*wide, *((texel, row[1], 40 + row[2], *row[3:]) for row in answers(300, seed=2))]
    found = made(rows, scales={"crew": None, "price": (1, 5), "it's food": (1, 5)})
    ratings = found.loc[:, ["rating_superpromoters", "rating_promoters", "rating_passives"]]
    assert set(ratings.xs("crew", level="driver").stack() % 2) == {0.0}
    assert (ratings.xs("price", level="driver").stack() * 10 % 1).abs().max() < 1e-9


def test_what_superpromoters_rate_high_is_a_strength_and_where_passives_lag_behind_a_lever() -> None:
    """Crew and price matter, food does not; even superpromoters rate the price low."""
    shifted = [(*row[:3], max(row[3] - 2, 1.0), *row[4:]) for row in answers(3000, weights=(3, 3, 0))]
    found = made(shifted).loc[""]
    assert found["kind"].fillna("").to_dict() == {"crew": "both", "price": "lever", "it's food": ""}
    assert found.loc["price", "rating_superpromoters"] < 4 <= found.loc["crew", "rating_superpromoters"]
    assert found.loc["price", "rating_passives"] < found.loc["price", "rating_promoters"]


def test_what_passives_rate_high_too_is_no_lever() -> None:
    raised = [(*row[:2], min(row[2] + 2, 5.0), *row[3:]) for row in answers(3000, weights=(3, 2, 0))]
    found = made(raised).loc[""]
    assert found.loc["crew", "rating_passives"] >= 4
    assert found.loc["crew", "kind"] == "strength"


def test_without_a_declared_scale_it_runs_from_the_lowest_to_the_highest_rating() -> None:
    rows = answers(3000, weights=(3, 3, 0))
    stated, found = made(rows), made(rows, scales=dict.fromkeys(NAMES))
    pd.testing.assert_frame_equal(stated, found)
