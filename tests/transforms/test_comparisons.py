"""Departments beside each other: the literature's funnel and shrinkage, the rest and not the total; nothing hidden."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.transforms.released import Counts, Frame, released
from transforms.comparisons import COLUMNS, comparisons, funnel_limits, lowest, overdispersion, shrunken

ALIKE: dict[str, Counts] = {
    "all": (120, 200, 280),
    "a": (20, 40, 60),
    "b": (25, 45, 50),
    "c": (35, 55, 60),
    "d": (40, 60, 110),
}


def compared(counts: dict[str, Counts], *, least: int = 10, **how: object) -> Frame:
    rows = comparisons(released(counts, **how), min_respondents=least)  # type: ignore[arg-type]
    return rows.set_index("department_id", drop=False)


@pytest.mark.parametrize(
    ("n", "inner", "outer"),
    [
        (25, (-0.0505, 0.5505), (-0.2237, 0.7237)),
        (100, (0.0998, 0.4002), (0.0131, 0.4869)),
        (400, (0.1749, 0.3251), (0.1316, 0.3684)),
    ],
)
def test_the_funnel_has_the_limits_of_the_literature(
    n: int, inner: tuple[float, float], outer: tuple[float, float]
) -> None:
    p, d = 0.45, 0.20
    for share, limits in ((0.95, inner), (0.998, outer)):
        found = funnel_limits(n, centre=p - d, answer=p + d - (p - d) ** 2, share=share)
        assert found == pytest.approx(limits, abs=6e-5)


def test_the_funnel_that_is_published_has_these_limits_too_at_95_and_at_99_8_percent() -> None:
    """Four departments that differ no more than chance makes them, together 45 % promoters and 20 % detractors."""
    sized: dict[str, Counts] = {"d25": (5, 9, 11), "d75": (15, 26, 34), "d100": (20, 35, 45), "d400": (80, 140, 180)}
    rows = compared({"all": (120, 210, 270), **sized}).loc[["d25", "d100", "d400"]]
    assert rows[["funnel_low_95", "funnel_high_95"]].to_numpy() == pytest.approx(
        np.array([(-5.05, 55.05), (9.98, 40.02), (17.49, 32.51)]), abs=6e-3
    )
    assert rows[["funnel_low_998", "funnel_high_998"]].to_numpy() == pytest.approx(
        np.array([(-22.37, 72.37), (1.31, 48.69), (13.16, 36.84)]), abs=6e-3
    )


def test_shrinkage_is_that_of_the_literature() -> None:
    y, s = np.array([0.10, 0.30, 0.35, 0.65, 0.45, 0.15]), np.array([0.05, 0.08, 0.06, 0.05, 0.10, 0.04])
    values, mean, between = shrunken(y, s)
    assert (between, mean) == pytest.approx((0.050018, 0.330608), abs=6e-7)
    assert values == pytest.approx([0.1110, 0.3035, 0.3487, 0.6348, 0.4301, 0.1556], abs=6e-5)


def test_over_dispersion_is_spiegelhalter_s_and_one_outlier_does_not_make_it() -> None:
    s = np.array([0.1, 0.1, 0.05, 0.05, 0.2, 0.1, 0.1, 0.05, 0.1, 0.1, 0.1])
    y = np.array([0.3, -0.2, 0.2, -0.2, 0.1, 0.25, -0.3, 0.1, 0.2, -0.1, 0.0])
    low, high = np.quantile(y / s, [0.1, 0.9])
    phi, w = np.mean(np.clip(y / s, low, high) ** 2), 1 / s**2
    expected = (11 * phi - 10) / (w.sum() - (w**2).sum() / w.sum())
    assert overdispersion(y, s, centre=0.0) == pytest.approx(expected)
    assert expected > 0
    calm = np.zeros(11)
    calm[3] = 5.0
    assert overdispersion(calm, s, centre=0.0) == 0.0


def test_a_department_is_held_against_the_rest_and_never_against_the_total_that_contains_it() -> None:
    rows = compared({"all": (50, 60, 90), "a": (20, 30, 50), "b": (30, 30, 40)})
    row = rows.loc["a"]
    assert (row["nps"], row["nps_rest"], row["rest_difference"]) == pytest.approx((30, 10, 20))
    assert (row["rest_difference_low"], row["rest_difference_high"]) == pytest.approx((-2.552, 41.387), abs=5e-4)
    assert norm.isf(row["rest_p_value"] / 2) == pytest.approx(1.732324, abs=5e-6)
    assert rows.loc["b", "rest_difference"] == -20


def test_p_values_are_adjusted_over_the_published_departments_and_hidden_ones_count_in_no_family() -> None:
    counts: dict[str, Counts] = {"all": (300, 600, 900), "a": (10, 30, 60), "b": (100, 190, 280), "c": (90, 180, 270)}
    two, three = (compared(counts, suppressed=hidden) for hidden in (["c"], []))
    assert set(two.index) == {"a", "b"}
    assert three.loc["a", "rest_p_value"] == pytest.approx(1.5 * two.loc["a", "rest_p_value"])


def test_where_too_few_are_left_there_is_no_rest() -> None:
    counts: dict[str, Counts] = {"all": (13, 20, 30), "a": (10, 15, 25), "b": (3, 5, 5), "c": (10, 19, 30)}
    rows = compared(counts)
    rest = [name for name in COLUMNS if "rest" in name]
    assert rows.loc["c", rest].isna().all()
    assert rows.loc[["a", "b"], rest].notna().all(axis=None)


def test_the_funnel_is_of_the_lowest_published_departments_which_share_no_answer() -> None:
    parents = {"a1": "a", "a2": "a", "b1": "b"}
    counts: dict[str, Counts] = {
        **{"all": (90, 150, 210), "a": (40, 60, 100), "a1": (25, 20, 55), "a2": (15, 40, 45)},
        **{"b": (30, 50, 60), "b1": (2, 3, 3), "c": (20, 40, 50)},
    }
    metrics = released(counts, parents=parents, suppressed=["b1"])
    assert lowest(metrics) == ["a1", "a2", "b", "c"]
    rows = comparisons(metrics, min_respondents=10).set_index("department_id")
    funnel = [name for name in COLUMNS if name.startswith(("funnel", "is_outside")) or name == "nps_shrunken"]
    assert rows.loc["a", funnel].isna().all()
    assert rows.loc[["a1", "a2", "b", "c"], funnel].notna().all(axis=None)
    assert rows["funnel_centre"].dropna().unique() == pytest.approx(
        [100 * (55 + 45 + 60 + 50 - 25 - 15 - 30 - 20) / 450]
    )


def test_the_funnel_s_parts_give_its_limits_for_every_number_of_answers() -> None:
    rows = compared(ALIKE)
    n = pd.Series({name: sum(counts) for name, counts in ALIKE.items()}).loc[rows.index]
    spread = 1.959963985 * (rows["funnel_answer_sd"] ** 2 / n + rows["funnel_between_sd"] ** 2) ** 0.5
    assert (rows["funnel_centre"] - spread).to_numpy() == pytest.approx(rows["funnel_low_95"].to_numpy())


def test_who_lies_outside_the_funnel_is_said_and_the_outer_one_is_wider() -> None:
    counts: dict[str, Counts] = {f"d{i:02d}": (20, 40, 40) for i in range(12)} | {"far": (4, 10, 86)}
    d, q, p = (sum(row[place] for row in counts.values()) for place in range(3))
    rows = compared({"all": (d, q, p), **counts})
    assert rows.index[rows["is_outside_95"].astype(bool)].tolist() == ["far"]
    assert rows.index[rows["is_outside_998"].astype(bool)].tolist() == ["far"]
    assert (rows["funnel_low_998"] < rows["funnel_low_95"]).all()
    assert rows.loc["far", "funnel_centre"] < rows.loc["far", "nps_shrunken"] < rows.loc["far", "nps"]


def test_of_two_departments_there_is_no_funnel_and_of_one_class_no_error() -> None:
    two = compared({"all": (50, 60, 90), "a": (20, 30, 50), "b": (30, 30, 40)})
    assert two[["funnel_centre", "nps_shrunken", "is_outside_95"]].isna().all(axis=None)
    happy: dict[str, Counts] = {name: (0, 0, n) for name, n in {"all": 90, "a": 30, "b": 30, "c": 30}.items()}
    rows = compared(happy)
    assert rows["nps_shrunken"].tolist() == [100.0] * 3
    assert not rows["is_outside_95"].any()


def test_four_answers_that_are_all_promoters_are_not_certain() -> None:
    rows = compared({"all": (124, 200, 284), **ALIKE, "few": (0, 0, 4)}, least=3)
    assert rows.loc["few", "nps_shrunken"] < 60


def test_what_is_hidden_changes_nothing() -> None:
    counts: dict[str, Counts] = {"all": (150, 250, 330), **{k: v for k, v in ALIKE.items() if k != "all"}}
    there, other = ({**counts, "few": few} for few in ((1, 2, 3), (300, 2, 90)))
    metrics = [released(one, suppressed=["few"]) for one in (there, other)]
    for name in ("responses", "promoters", "passives", "detractors", "nps"):  # were it not hidden from us already
        metrics[1].loc[metrics[1]["department_id"] == "few", name] = 77.0
    first, second = (comparisons(one, min_respondents=10) for one in metrics)
    pd.testing.assert_frame_equal(first, second)
    assert "few" not in set(first["department_id"])


def test_where_departments_do_not_differ_hardly_any_release_says_that_one_does() -> None:
    """Under the null hypothesis the share of releases with a false finding is at most .05, and what is noise of 150."""
    rng = np.random.default_rng(9)
    sizes = [30, 40, 60, 80, 120, 200, 300, 400]
    said, releases = 0, 150
    for _ in range(releases):
        drawn = [rng.multinomial(n, [0.15, 0.35, 0.5]) for n in sizes]
        counts = {"all": sum(drawn), **{f"d{i}": row for i, row in enumerate(drawn)}}
        rows = comparisons(released(counts), min_respondents=10)  # type: ignore[arg-type]
        said += bool(rows["is_different_from_rest"].any())
    assert said / releases < 0.05 + 3 * (0.05 * 0.95 / releases) ** 0.5
