"""Who answered both waves: counted once, in departments that hold both answers, and only where it tells of nobody."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.released import Counts, released
from tests.transforms.waves import key
from transforms.departments import departments
from transforms.paired import CLASSES, SIGNS, may_count, paired
from transforms.sql import text

Answer = tuple[int | None, str, int | None]  # respondent, department key, score

MIXED = [("promoter", "promoter", 8), ("promoter", "passive", 2), ("passive", "detractor", 2)]
PARENTS = {"a1": "a", "a2": "a"}
ALL: Mapping[str, Counts] = {
    name: (40 * leaves, 50 * leaves, 60 * leaves)
    for name, leaves in {"all": 4, "a": 2, "a1": 1, "a2": 1, "b": 1}.items()
}


def moves(before: Sequence[Answer], now: Sequence[Answer]) -> dict[tuple[str, str, str], int]:
    """The rows of the select, by department key."""
    keys = sorted({place for _, place, _ in (*before, *now)})
    tree = departments(keys, organisation="Organisation")
    with duckdb.connect() as connection:
        connection.register("tree", tree[["department_id", "department_key"]])
        connection.execute("create temp table department_nodes as from tree")
        for name, answers in (("earlier", before), ("first", now)):
            connection.execute(
                f"create temp table {name} (respondent_key uhugeint, department_key varchar, score tinyint,"
                " responded_at timestamp, batch integer, record_number bigint)"
            )
            rows = [[*answer, None, 1, number] for number, answer in enumerate(answers)]
            connection.executemany(f"insert into {name} values (?, ?, ?, ?, ?, ?)", rows)
        found = connection.execute(text("paired")).fetchall()
    names = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    return {(names[department], was, now): count for department, was, now, _, count in found}


def test_each_department_has_the_respondents_who_gave_it_both_answers() -> None:
    texel, vlieland = key("Ships", "Texel"), key("Ships", "Vlieland")
    before = [(1, texel, 9), (2, texel, 3), (3, vlieland, 7), (4, "", 10), (5, "Ports", 9)]
    now = [(1, texel, 8), (2, vlieland, 4), (3, "Ports", 7), (4, "", 10), (6, texel, 9)]
    assert moves(before, now) == {
        (texel, "promoter", "passive"): 1,
        ("Ships", "promoter", "passive"): 1,
        ("Ships", "detractor", "detractor"): 1,
        ("", "promoter", "passive"): 1,
        ("", "detractor", "detractor"): 1,
        ("", "passive", "passive"): 1,
        ("", "promoter", "promoter"): 1,
    }


def test_who_answers_twice_in_a_wave_counts_once_by_his_newest_answer() -> None:
    before = [(1, "A", 0), (1, "B", 9), (2, "A", 9), (2, "A", None)]
    now = [(1, "B", 10), (1, "B", 7), (2, "A", 3)]
    assert moves(before, now) == {
        ("B", "promoter", "passive"): 1,
        ("A", "promoter", "detractor"): 1,
        ("", "promoter", "passive"): 1,
        ("", "promoter", "detractor"): 1,
    }


def test_answers_of_nobody_known_are_no_pairs() -> None:
    assert moves([(None, "A", 9), (1, "A", None)], [(None, "A", 9), (1, "A", 9)]) == {}


def told(rows: Mapping[str, Sequence[tuple[str, str, int]]], **how: Any) -> pd.DataFrame:
    """What `paired` says of these moves, by department."""
    frame = pd.DataFrame(
        [(name, *row) for name, own in rows.items() for row in own],
        columns=["department_id", "class_before", "class_now", "respondents"],
    ).assign(moved=False)
    metrics = released(ALL, parents=PARENTS, suppressed=how.pop("suppressed", ()))
    before = released(ALL, parents=PARENTS, suppressed=how.pop("suppressed_before", ()))
    return paired(frame, metrics, before, min_respondents=how.pop("least", 10)).set_index("department_id")


def times(rows: Sequence[tuple[str, str, int]], factor: int) -> list[tuple[str, str, int]]:
    return [(was, now, factor * count) for was, now, count in rows]


def test_the_covariance_is_that_of_the_pairs_and_of_their_differences_the_variance() -> None:
    rows = told({"b": MIXED, "all": MIXED})
    was = np.repeat([1, 1, 0], [8, 2, 2])
    now = np.repeat([1, 0, -1], [8, 2, 2])
    for name in ("b", "all"):
        assert rows.loc[name, "pairs"] == 12
        assert rows.loc[name, "covariance"] == pytest.approx(np.cov(was, now, ddof=0)[0, 1])
        assert rows.loc[name, "difference_variance"] == pytest.approx(np.var(now - was, ddof=1))


@pytest.mark.parametrize(
    "few",
    [
        [("promoter", "promoter", 5), ("promoter", "passive", 2), ("passive", "detractor", 2)],  # nine
        [("promoter", "promoter", 500)],  # nobody moved
        [("promoter", "promoter", 90), ("promoter", "passive", 9), ("promoter", "detractor", 9)],  # one class did
        [("promoter", "passive", 20), ("passive", "detractor", 20)],  # all by the same step
    ],
)
def test_where_the_interval_would_tell_of_somebody_no_pair_counts(few: list[tuple[str, str, int]]) -> None:
    assert told({"b": few, "all": few}).empty


def test_only_departments_that_both_waves_publish_have_pairs() -> None:
    rows = dict.fromkeys(("all", "a", "a1"), MIXED)
    assert set(told(rows).index) == {"all", "a", "a1"}
    assert set(told(rows, suppressed=["a1"]).index) == {"all", "a"}
    assert set(told(rows, suppressed_before=["a"]).index) == {"all", "a1"}


def test_a_few_pairs_cannot_be_had_by_subtracting_a_department_from_the_one_above_it() -> None:
    few = [("promoter", "detractor", 3), ("passive", "passive", 4)]
    rows = told({"a1": MIXED, "a2": few, "a": [*MIXED, *few], "all": [*MIXED, *few]})
    assert set(rows.index) == {"a1", "a", "all"}
    assert rows["pairs"].tolist() == [12, 12, 12]  # the seven wait
    many = times(few, 2)  # fourteen, of one class that moved: they wait too
    assert told({"a1": MIXED, "a2": many, "all": [*MIXED, *many]}).loc["all", "pairs"] == 12
    both = told({"a1": MIXED, "a2": few, "a": [*MIXED, *few], "all": [*MIXED, *few, *MIXED]})
    assert both["pairs"].to_dict() == {"all": 31, "a": 12, "a1": 12}  # above, they are among enough others


def test_a_few_who_answered_one_wave_alone_cannot_be_had_from_a_width() -> None:
    some = [*MIXED, ("detractor", "detractor", 30), ("passive", "passive", 40), ("promoter", "promoter", 50)]
    assert told({"b": some}).loc["b", "pairs"] == 132  # of 150: eighteen before and eighteen now
    most = [*some, ("detractor", "detractor", 7), ("passive", "passive", 6)]
    assert told({"b": most}).empty  # one detractor and two passives would be known to be new


def test_who_moved_counts_where_no_department_below_uses_pairs_of_its_own() -> None:
    def rows(moved: bool, name: str) -> pd.DataFrame:
        columns = ["class_before", "class_now", "respondents"]
        return pd.DataFrame(MIXED, columns=columns).assign(department_id=name, moved=moved)

    metrics = released(ALL, parents=PARENTS)
    movers, settled = rows(True, "all"), pd.concat([rows(False, "b"), rows(False, "all")])
    for moves, pairs in ((movers, [12.0]), (pd.concat([movers, settled]), [12.0, 12.0])):
        assert paired(moves, metrics, metrics, min_respondents=10)["pairs"].tolist() == pairs


ANY_MOVES = st.lists(st.integers(0, 9), min_size=9, max_size=9).map(lambda cells: np.array(cells).reshape(3, 3))


@settings(max_examples=60, deadline=None)
@given(own=st.fixed_dictionaries(dict.fromkeys(ALL, ANY_MOVES)), hidden=st.sets(st.sampled_from(sorted(ALL))))
def test_whatever_an_outsider_subtracts_is_nobody_or_a_group_that_may_count(
    own: dict[str, np.ndarray], hidden: set[str]
) -> None:
    totals = {name: own[name].copy() for name in own}
    for name, parent in (("a1", "a"), ("a2", "a"), ("a", "all"), ("b", "all")):
        totals[parent] = totals[parent] + totals[name]
    rows = {
        name: [(CLASSES[i], CLASSES[j], int(matrix[i, j])) for i in range(3) for j in range(3) if matrix[i, j]]
        for name, matrix in totals.items()
    }
    found = told(rows, suppressed=hidden)
    assert not set(found.index) & hidden
    pairs = dict(zip(found.index, found["pairs"].tolist(), strict=True))
    below = {"a": ["a1", "a2"], "all": ["b", *(["a"] if "a" in pairs else ["a1", "a2"])]}
    for parent in below.keys() & pairs.keys():
        rest = pairs[parent] - sum(pairs.get(child, 0) for child in below[parent])
        assert rest == 0 or rest >= 10


def test_a_group_may_count_whichever_way_its_members_moved() -> None:
    matrix = np.zeros((3, 3), dtype=np.int64)
    matrix[2, 2], matrix[2, 1], matrix[1, 2] = 8, 1, 1
    assert may_count(matrix, min_respondents=10)
    assert not may_count(matrix, min_respondents=11)
    assert SIGNS.tolist() == [-1, 0, 1]
