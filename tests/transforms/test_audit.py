"""The audit of tables that overlap: worked examples, brute force over whole numbers, segments and rolling windows."""

import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from tests.transforms.bounds import CLASSES, audit, bounds, matrix
from transforms.audit import exposed

Classes = tuple[int, int, int]


def mixed(respondents: int) -> Classes:
    promoters, passives = (respondents + 2) // 3, (respondents + 1) // 3
    return promoters, passives, respondents - promoters - passives


def audited(cells: Mapping[str, Classes], rows: Sequence[Sequence[str]], k: int) -> Any:
    """The bounds of the cells; what the product finds to be given away is what these give away."""
    frame = pd.DataFrame(list(cells.values()), columns=list(CLASSES)).assign(cell=list(cells))
    published = pd.DataFrame([(row, cell) for row, held in enumerate(rows) for cell in held], columns=["row", "cell"])
    found = audit(frame, published, min_respondents=k).set_index("cell")
    rows_of, counts = matrix(frame, published).astype(bool), frame[list(CLASSES)].to_numpy(dtype=float)
    is_exposed = pd.Series(exposed(rows_of, counts, min_respondents=k), index=frame["cell"])
    assert is_exposed[is_exposed].index.tolist() == found.index[~found["is_safe"]].tolist()
    return found


def test_four_hidden_cells_of_known_margins_are_bounded_as_worked_by_hand() -> None:
    rows = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=float)
    low, high = bounds(rows, np.array([7, 3, 6, 4], dtype=float))
    assert list(zip(low, high, strict=True)) == [(3, 6), (1, 4), (0, 3), (0, 3)]
    counts = np.array([[5, 0, 0], [2, 0, 0], [1, 0, 0], [2, 0, 0]], dtype=float)  # all bounds are 3 apart
    assert not exposed(rows.astype(bool), counts, min_respondents=3).any()
    assert exposed(rows.astype(bool), counts, min_respondents=4).all()


def test_a_company_less_one_department_tells_the_other() -> None:
    cells = {"nine": (5, 3, 1), "four": (2, 1, 1)}
    hidden = audited(cells, [["nine", "four"]], 5)
    assert hidden[["low", "high"]].to_numpy().tolist() == [[0, 13], [0, 13]]
    assert hidden["is_safe"].all()
    told = audited(cells, [["nine", "four"], ["nine"]], 5)
    assert told.loc["four", ["low", "high"]].to_list() == [4, 4]
    assert told["is_safe"].tolist() == [True, False]


def test_bounds_are_those_of_all_whole_numbers() -> None:
    chance = random.Random(13)
    for _ in range(60):
        width = chance.randint(2, 5)
        rows = np.array([[chance.random() < 0.5 for _ in range(width)] for _ in range(3)], dtype=float)
        rows = np.vstack([rows, np.ones(width)])
        truth = np.array([chance.randint(0, 3) for _ in range(width)], dtype=float)
        totals = rows @ truth
        found = [one for one in product(range(int(totals[-1]) + 1), repeat=width) if (rows @ one == totals).all()]
        low, high = bounds(rows, totals)
        assert (low <= np.min(found, axis=0)).all()
        assert (high >= np.max(found, axis=0)).all()
        assert (low >= np.min(found, axis=0) - 1).all()  # a linear programme may stop halfway between whole numbers
        assert (high <= np.max(found, axis=0) + 1).all()


def test_classes_apart_bound_closer_than_all_answers_together() -> None:
    cells = {"a x": (8, 0, 0), "a y": (0, 6, 6), "b x": (0, 6, 6), "b y": (8, 0, 0)}
    rows = [["a x", "a y"], ["b x", "b y"], ["a x", "b x"], ["a y", "b y"]]
    together = bounds(np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=float), np.full(4, 20.0))
    apart = audited(cells, rows, 5)
    assert (together[1] == 20).all()
    assert (apart["high"] == 20).all()
    one_sided = audited({**cells, "a y": (0, 0, 12), "b x": (0, 12, 0)}, rows, 5)
    assert one_sided.loc["a y", ["low", "high"]].to_list() == [12, 20]
    assert one_sided.loc["a x", ["low", "high"]].to_list() == [0, 8]


def test_a_segment_beside_departments_is_safe_where_they_cross_in_many_ways_and_not_where_in_few() -> None:
    regions, labels = ("Texel", "Vlieland"), ("car", "on foot")

    def crossed(counts: Mapping[tuple[str, str], Classes]) -> Any:
        cells = {f"{region} × {label}": counts[region, label] for region, label in product(regions, labels)}
        rows = [[f"{region} × {label}" for label in labels] for region in regions]
        rows += [[f"{region} × {label}" for region in regions] for label in labels]
        return audited(cells, rows, 10)

    wide = {place: mixed(40) for place in product(regions, labels)}
    assert crossed({**wide, ("Texel", "car"): mixed(4)})["is_safe"].all()
    one_sided = {("Texel", "car"): (1, 1, 0), ("Texel", "on foot"): (0, 0, 11), ("Vlieland", "car"): (12, 12, 0)}
    narrow = crossed({**wide, **one_sided})
    assert narrow.index[~narrow["is_safe"]].to_list() == ["Texel × car"]


def test_two_windows_that_share_months_give_away_a_small_month() -> None:
    months = {"1": mixed(3), "2": mixed(40), "3": mixed(40), "4": mixed(50)}
    assert audited(months, [["1", "2", "3"]], 10)["is_safe"].all()
    told = audited(months, [["1", "2", "3"], ["2", "3"], ["2", "3", "4"]], 10)
    assert told.index[~told["is_safe"]].to_list() == ["1"]


def test_what_entered_with_a_revision_is_a_cell_of_its_own() -> None:
    def entered(late: Classes) -> Any:
        return audited({"first": mixed(30), "late": late}, [["first"], ["first", "late"]], 10)

    assert entered(mixed(12))["is_safe"].all()
    assert not entered(mixed(3)).loc["late", "is_safe"]


def test_empty_cells_have_no_row_but_widen_the_others() -> None:
    alone = audited({"a": mixed(4), "b": mixed(0)}, [["a"]], 5)
    assert not alone.loc["a", "is_safe"]
    beside = audited({"a": mixed(6), "b": mixed(0)}, [["a", "b"]], 5)
    assert beside.index.tolist() == ["a"]
    assert beside.loc["a", ["low", "high"]].tolist() == [0, 6]
