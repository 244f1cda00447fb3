"""What a shown department does not tell: how many people a few told, and that a few gave no score."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.waves import Frame, Row, counts, dqp, metrics, tallies
from transforms.few import CONVERSION, CURRENCY, REACH, VALUE, carried
from transforms.residuals import Counts, shown

K = 10
FIGURES = ["reach", "conversion", "recommendation_value"]


def told(promoters: int, tellers: int, *, paired: int | None = None, with_effect: int | None = None) -> Row:
    """So many promoters who all answered, of whom some told three others each, and one of these acted."""
    paired = tellers if paired is None else paired
    with_effect = paired if with_effect is None else with_effect
    extents = {"people_told": 3 * tellers, "people_told_squares": 9 * tellers, "paired": paired}
    acted = {"paired_told": 3 * paired, "paired_acted": with_effect, "paired_acted_squares": with_effect}
    ladder = {"told_known": promoters, "told": tellers, "influence_known": paired, "superpromoters": with_effect}
    beside = {"tellers": tellers, "paired_with_effect": with_effect, "paired_products": 3 * with_effect}
    return {**dqp(10, 10, promoters), **extents, **acted, **ladder, **beside}


def tree(**parts: Row) -> Frame:
    """The metrics of departments below an organisation that is all of them, suppressed where that is their name."""
    names = {name for part in parts.values() for name in part}
    whole = {name: sum(part.get(name, 0) for part in parts.values()) for name in sorted(names)}
    suppressed = [name for name in parts if name == "hidden"]
    return metrics(counts({"all": whole, **parts}), min_respondents=K, margin=40, suppressed=suppressed)


def shows(rows: Frame, figure: str) -> set[str]:
    return set(rows.index[rows[figure].notna()])


def test_how_many_people_one_promoter_told_is_not_shown_of_the_department_where_he_alone_told_any() -> None:
    rows = tree(one=told(30, 1), none=told(30, 0), many=told(60, 40))
    assert shows(rows, "reach") == {"all", "none"}  # whoever knows all and many, knows the one
    assert rows.loc["none", "reach"] == 0
    assert rows.loc["one", "told"] == 1  # that is a count, and as public as the row
    assert shows(tree(many=told(60, 40), more=told(60, 40)), "reach") == {"all", "many", "more"}


def test_nor_is_it_what_is_left_after_subtraction() -> None:
    assert shows(tree(small=told(15, 12), large=told(60, 40), hidden=told(5, 3)), "reach") == {"all", "large"}
    assert shows(tree(small=told(15, 12), large=told(60, 40), hidden=told(30, 12)), "reach") == {
        "all",
        "small",
        "large",
    }


def test_of_how_many_people_acted_the_same_holds() -> None:
    rows = tree(one=told(60, 30, with_effect=1), few=told(60, 30, paired=4), many=told(60, 40), more=told(60, 40))
    assert shows(rows, "reach") == {"all", "one", "few", "many", "more"}
    for figure in FIGURES[1:]:
        assert shows(rows, figure) == {"all", "more"}  # the smallest that leaves enough is given up with them
    alone = tree(one=told(60, 30, with_effect=1))
    assert alone["conversion"].isna().all()
    assert shows(alone, "recommendation_value") == set()


def test_of_people_told_it_counts_who_told_any_also_where_that_is_not_enough_to_share() -> None:
    answers = [{"score": 9, "told_count": n % 2} for n in range(30)] + [{"score": 3}]
    tallied = tallies(answers, told_min=2)
    assert (tallied.loc["", "tellers"], tallied.loc["", "told"]) == (15, 0)
    answers = [{"score": 9, "told_count": int(n < 3)} for n in range(30)] + [{"score": 3}]
    tallied = tallies(answers, told_min=2).set_index("department_id", drop=False)
    assert pd.isna(metrics(tallied, min_respondents=K).loc["all", "reach"])
    assert metrics(tallied, min_respondents=3).loc["all", "reach"] == 0.1


def test_the_number_of_people_told_in_all_cannot_be_computed() -> None:
    answers = [{"score": 9, "told_count": n % 7, "acted_count": min(n % 7, 2)} for n in range(100)]
    row = metrics(tallies(answers), min_respondents=K, margin=33.3).loc["all"]
    for name, digits in {**dict.fromkeys(REACH, 1), **dict.fromkeys(CONVERSION, 2)}.items():
        assert row[name] == round(row[name], digits)
    assert row["recommendation_value"] == 5200  # 157 × 33.3


def test_a_single_answer_without_a_score_is_not_told_of_a_department_that_nobody_else_answered_in() -> None:
    empty, none = {**dqp(0, 0, 0), "missing_scores": 1}, dqp(0, 0, 0)
    some = {**dqp(20, 20, 20), "missing_scores": 2}
    rows = tree(one=empty, none=none, some=some, more={**some, **dqp(30, 30, 30)})
    assert shows(rows, "missing_scores") == {"all", "none", "more"}
    assert rows.loc["all", "missing_scores"] == 5
    enough = tree(many={**empty, "missing_scores": K}, some=some)
    assert enough["missing_scores"].tolist() == [12, 10, 2]
    assert tree(some=some, hidden={**dqp(4, 4, 4), "missing_scores": 1})["missing_scores"].tolist()[:2] == [3, 2]


def test_a_revision_has_reach_conversion_and_value_as_they_were_before() -> None:
    before = tree(one=told(60, 40), more=told(60, 40)).reset_index(drop=True)
    now = tree(one=told(75, 45), more=told(60, 40), new=told(60, 40)).reset_index(drop=True)
    held = carried(now, before, margin=80, margin_before=40, currency="SEK").set_index("department_id")
    was = before.set_index("department_id")
    for name in (*REACH, *CONVERSION):
        assert held.loc[["all", "one", "more"], name].tolist() == was[name].tolist(), name
    assert held["recommendation_value"].tolist()[:3] == [2 * value for value in was["recommendation_value"]]
    assert held[CURRENCY].tolist() == ["SEK", "SEK", "SEK", None]
    assert held.loc["new", [*REACH, *CONVERSION, VALUE]].isna().all()
    assert held["told"].tolist() == now["told"].tolist()
    without = carried(now, before, margin=80, margin_before=None, currency="SEK")
    assert without[["recommendation_value", CURRENCY]].isna().all(axis=None)


def test_a_number_of_missing_scores_that_was_hidden_stays_hidden() -> None:
    before = tree(one={**dqp(0, 0, 0), "missing_scores": 1}, some=dqp(20, 20, 20)).reset_index(drop=True)
    now = tree(one={**dqp(5, 5, 5), "missing_scores": 1}, some=dqp(20, 20, 20)).reset_index(drop=True)
    assert now["missing_scores"].tolist() == [1, 1, 0]
    held = carried(now, before, margin=None, margin_before=None, currency=None)
    assert held["missing_scores"].fillna(-1).tolist() == [1, -1, -1]


@settings(max_examples=60, deadline=None)
@given(
    parents=st.lists(st.integers(0, 6), min_size=1, max_size=7),
    own=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=8, max_size=8),
)
def test_no_few_can_be_computed_by_any_subtraction_in_any_tree(
    parents: Sequence[int], own: Sequence[tuple[int, int]]
) -> None:
    above = [None, *(min(parent, place) for place, parent in enumerate(parents))]
    sums = [np.array(pair) for pair in own[: len(above)]]
    for place in range(len(above) - 1, 0, -1):
        parent = above[place]
        assert parent is not None
        sums[parent] = sums[parent] + sums[place]
    names = [f"d{place}" for place in range(len(above))]
    frame = pd.DataFrame({"department_id": names, "parent_id": [None if p is None else f"d{p}" for p in above]})

    def is_enough(left: Counts, _: bool) -> bool:
        return bool(((left == 0) | (left >= 5)).all())

    rows = dict(zip(names, sums, strict=True))
    found = shown(rows, frame, sizes={name: int(sum(row)) for name, row in rows.items()}, is_enough=is_enough)
    assert "d0" in found or not is_enough(rows["d0"], False)
    for name in found:
        parts = [part for part in found if _next_above(part, names, above, found) == name]
        assert is_enough(rows[name] - sum((rows[part] for part in parts), np.zeros(2, dtype=int)), False)


def _next_above(name: str, names: list[str], above: Sequence[int | None], found: set[str]) -> str | None:
    place = above[names.index(name)]
    while place is not None and names[place] not in found:
        place = above[place]
    return None if place is None else names[place]
