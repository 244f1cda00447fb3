"""Weighted figures beside margins: no department shows any from which a small group of a margin could be computed."""

import itertools
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.weight_groups import tellable, weight_groups_sql

LEAST = 3
PARENTS = {"all": None, "a": "all", "b": "all", "a1": "a", "a2": "a", "a3": "a"}
CELLS = ("a", "b", "a1", "a2", "a3")  # where answers hang; `a` has some of its own
Counts = dict[tuple[str, str], tuple[int, int, int]]  # cell and category: promoters, passives, detractors
counts = st.dictionaries(
    st.sampled_from([(cell, category) for cell in CELLS for category in ("young", "old")]),
    st.tuples(*[st.integers(0, 4)] * 3),
    min_size=4,
)


def _under(department: str) -> set[str]:
    under = {department}
    for name, parent in PARENTS.items():
        if parent in under:
            under.add(name)
    return under


def _sum(cells: Counts, inside: set[str], category: str) -> list[int]:
    return [
        sum(row[place] for (cell, own), row in cells.items() if cell in inside and own == category)
        for place in range(3)
    ]


def _groups(cells: Counts) -> pd.DataFrame:
    rows = [
        (department, "margin_1", category, *total)
        for department in PARENTS
        for category in ("old", "young")
        if sum(total := _sum(cells, _under(department), category))
    ]
    return pd.DataFrame(rows, columns=["department_id", "margin", "category", "promoters", "passives", "detractors"])


def _metrics() -> pd.DataFrame:
    rows = [(name, parent, "published", 1) for name, parent in PARENTS.items()]
    return pd.DataFrame(rows, columns=["department_id", "parent_id", "status", "responses"])


def _shown(now: Counts, *before: Counts) -> set[str]:
    return tellable(_groups(now), [_groups(one) for one in before], _metrics(), least=LEAST)


def _differences(shown: set[str]) -> list[set[str]]:
    """Every set of cells whose figures follow from those of shown departments by adding and taking away."""
    found = []
    for signs in itertools.product((-1, 0, 1), repeat=len(shown)):
        times = {
            cell: sum(sign * (cell in _under(name)) for sign, name in zip(signs, sorted(shown), strict=True))
            for cell in CELLS
        }
        if set(times.values()) <= {0, 1} and any(times.values()):
            found.append({cell for cell, count in times.items() if count})
    return found


def _is_few(values: list[int]) -> bool:
    return sum(values) > 0 and (sum(values) < LEAST or (sum(values) < 2 * LEAST and len([v for v in values if v]) < 2))


@given(counts, counts)
@settings(max_examples=100, deadline=None)
def test_no_adding_and_taking_away_of_shown_departments_leaves_few_of_a_margin_s_group(
    now: Counts, before: Counts
) -> None:
    """Who came and who went are looked at in the least sets: in a sum of several these cancel out, and tell nothing."""
    found = _differences(_shown(now, before))
    for inside in found:
        for category in ("old", "young"):
            left, was = _sum(now, inside, category), _sum(before, inside, category)
            assert not _is_few(left)
            if not any(other < inside for other in found):
                assert not _is_few([max(a - b, 0) for a, b in zip(left, was, strict=True)])
                assert not _is_few([max(b - a, 0) for a, b in zip(left, was, strict=True)])


FULL: Counts = {(cell, category): (3, 3, 3) for cell in CELLS for category in ("old", "young")}


def test_where_every_group_is_large_all_show_weighted_figures() -> None:
    assert _shown(FULL) == set(PARENTS)
    assert _shown(FULL, FULL) == set(PARENTS)


def test_one_young_answer_silences_its_department_and_the_one_above_that_it_could_be_taken_from() -> None:
    """a1 has one young answer, which a less a2 and a3 would tell: the smallest of these parts yields."""
    lone: Counts = {**FULL, ("a1", "young"): (0, 0, 1), ("a", "young"): (0, 0, 0), ("a", "old"): (0, 0, 0)}
    assert _shown(lone) == {"all", "a", "b", "a3"}


def test_a_group_of_one_class_needs_twice_as_many() -> None:
    assert "b" not in _shown({**FULL, ("b", "young"): (5, 0, 0)})
    assert "b" in _shown({**FULL, ("b", "young"): (6, 0, 0)})


def test_one_who_came_to_a_group_since_an_earlier_release_silences_what_would_tell_of_him() -> None:
    came: Counts = {**FULL, ("b", "young"): (4, 3, 3)}
    assert _shown(came, FULL) == {"a", "a1", "a2", "a3"}
    enough: Counts = {**FULL, ("b", "young"): (5, 4, 3)}
    assert _shown(enough, FULL) == set(PARENTS)
    assert _shown(came, enough, FULL) == {"a", "a1", "a2", "a3"}


def test_without_groups_every_published_department_shows_weighted_figures() -> None:
    metrics = _metrics().assign(status=["published", "suppressed", *["published"] * 4])
    assert tellable(_groups({}), [], metrics, least=LEAST) == set(PARENTS) - {"a"}


def test_margins_over_departments_make_no_groups_of_their_own() -> None:
    sql: Any = weight_groups_sql("from counted", ["department", "age"], ["age"])
    assert "segments['age'] as margin_1" in sql
    assert "margin_2" not in sql
