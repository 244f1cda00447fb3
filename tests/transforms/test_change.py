"""Changes between waves: the textbook's test, many departments at once, and NULL wherever one wave is silent."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy.stats import norm

from tests.transforms.waves import ANY_COUNTS, Frame, counts, dqp, metrics
from transforms.change import benjamini_hochberg, change
from transforms.highlights import highlights

Counts = Mapping[str, Mapping[str, int]]
CHANGE = [
    *("previous_wave", "previous_release_id", "nps_change", "nps_change_low", "nps_change_high"),
    *("change_p_value", "is_change_significant"),
]


def changed(now: Counts, before: Counts, *, hidden_now: str = "", hidden_before: str = "") -> Frame:
    """The change columns by department, from the counts of two waves."""
    earlier = metrics(counts(before), suppressed=[hidden_before]).assign(wave="before")
    later = metrics(counts(now), suppressed=[hidden_now])
    rows = change(later.reset_index(drop=True), earlier.reset_index(drop=True), previous_release_id="0123456789abcdef")
    return rows.set_index("department_id", drop=False)


def test_two_waves_compare_as_in_the_literature() -> None:
    row = changed({"all": dqp(20, 30, 50)}, {"all": dqp(30, 30, 40)}).loc["all"]
    assert row["nps_change"] == pytest.approx(20)
    assert row["nps_change_low"] == pytest.approx(-2.552, abs=5e-4)
    assert row["nps_change_high"] == pytest.approx(41.387, abs=5e-4)
    assert row["change_p_value"] == pytest.approx(0.083216, abs=5e-7)
    assert norm.isf(row["change_p_value"] / 2) == pytest.approx(1.732324, abs=5e-6)
    assert not row["is_change_significant"]
    assert (row["previous_wave"], row["previous_release_id"]) == ("before", "0123456789abcdef")


def test_benjamini_hochberg_adjusts_as_r_does_and_leaves_the_organisation_out() -> None:
    p = pd.Series([0.02, 0.008, 0.03, 0.123, np.nan, 0.6, 0.2])
    adjusted = benjamini_hochberg(p, is_family=pd.Series([False] + [True] * 6))
    assert adjusted.tolist() == pytest.approx([0.02, 0.04, 0.075, 0.205, np.nan, 0.6, 0.25], nan_ok=True)


def test_departments_are_adjusted_for_their_number_and_the_organisation_is_not() -> None:
    now, before = dqp(10, 30, 60), dqp(22, 30, 48)
    names = ["all", "A", "B", "C"]
    alone = changed({"all": now}, {"all": before}).loc["all", "change_p_value"]
    rows = changed(dict.fromkeys(names, now), {"all": before, "A": before, "B": now, "C": now})
    assert alone < 0.05
    assert rows.loc["all", "change_p_value"] == alone
    assert rows.loc["A", "change_p_value"] == pytest.approx(3 * alone)
    assert rows["is_change_significant"].tolist() == [True, False, False, False]


def test_suppressed_and_new_departments_count_in_no_family_and_have_no_change() -> None:
    now, before = dqp(10, 30, 60), dqp(22, 30, 48)
    names = ["all", "A", "hidden now", "hidden before", "new"]
    rows = changed(
        dict.fromkeys(names, now),
        dict.fromkeys([*names[:-1], "gone"], before),
        hidden_now="hidden now",
        hidden_before="hidden before",
    )
    assert rows.loc[["hidden now", "hidden before", "new"], CHANGE].isna().all(axis=None)
    assert rows.loc["A", "change_p_value"] == rows.loc["all", "change_p_value"]
    assert rows["department_id"].tolist() == names


def test_a_first_wave_has_the_same_columns_and_no_change() -> None:
    later = metrics(counts({"all": dqp(1, 2, 3)})).reset_index(drop=True)
    rows = change(later, later.head(0), previous_release_id=None)
    assert rows.columns.tolist() == [*later.columns, *CHANGE]
    assert rows[CHANGE].isna().all(axis=None)


def test_the_confidence_is_a_choice() -> None:
    now, before = (metrics(counts({"all": row})).reset_index(drop=True) for row in (dqp(20, 30, 50), dqp(30, 30, 40)))
    wide, narrow = (change(now, before, previous_release_id="r", confidence=c).iloc[0] for c in (0.99, 0.8))
    assert wide["nps_change_low"] < narrow["nps_change_low"] < narrow["nps_change_high"] < wide["nps_change_high"]


@settings(max_examples=15, deadline=None)
@given(now=ANY_COUNTS, before=ANY_COUNTS)
def test_swapping_the_waves_mirrors_the_change(now: dict[str, int], before: dict[str, int]) -> None:
    there, back = changed({"all": now}, {"all": before}).loc["all"], changed({"all": before}, {"all": now}).loc["all"]
    assert there["nps_change"] == -back["nps_change"]
    assert there["nps_change_low"] == -back["nps_change_high"]
    assert there["change_p_value"] == back["change_p_value"]
    assert there["is_change_significant"] == (there["change_p_value"] < 0.05)
    assert there["is_change_significant"] == (there["nps_change_low"] > 0 or there["nps_change_high"] < 0)


def test_highlights_are_the_significant_departments_in_tree_order_and_tell_which_way() -> None:
    many, few = dqp(100, 300, 600), dqp(300, 300, 400)
    rows = changed(
        {"all": many, "z fell": few, "a rose": many, "same": many, "b fell": few},
        {"all": few, "z fell": many, "a rose": few, "same": many, "b fell": many},
    )
    found = highlights(rows)
    assert found[["kind", "department"]].to_numpy().tolist() == [
        ["fell", "z fell"],
        ["rose", "a rose"],
        ["fell", "b fell"],
    ]
    assert found.columns.tolist() == [
        *("kind", "department_id", "department", "nps"),
        *("nps_change", "nps_change_low", "nps_change_high", "change_p_value"),
    ]
    assert found["nps_change"].tolist() == [-40, 40, -40]


def test_a_first_wave_has_no_highlights() -> None:
    later = metrics(counts({"all": dqp(1, 2, 3), "A": dqp(1, 2, 3)})).reset_index(drop=True)
    assert highlights(change(later, later.head(0), previous_release_id=None)).empty
