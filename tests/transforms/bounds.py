"""The bounds of every cell of tables that overlap, each by two linear programmes of its own: slow, and plain to see."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

Numbers = NDArray[np.float64]
CLASSES = ("promoters", "passives", "detractors")


def audit(cells: pd.DataFrame, published: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """One row per cell with people in it: the least and the most that it is bounded to, and whether that is safe.

    `cells` has every cell that could hold anyone, empty ones too: cell, promoters, passives, detractors. `published`
    names the cells that each published row adds up: row, cell. A cell is safe where `low` reaches the minimum, or
    where `high` lies at least so far above `low`. A cell in no published row is bounded by nothing, and safe.
    """
    names = cells["cell"].tolist()
    rows = matrix(cells, published)
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for kind in CLASSES:
        least, most = bounds(rows, rows @ cells[kind].to_numpy(dtype=float))
        low, high = low + least, high + most
    is_safe = (low >= min_respondents) | (high - low >= min_respondents)
    audited = pd.DataFrame({"cell": names, "low": low, "high": high, "is_safe": is_safe})
    return audited[cells[list(CLASSES)].sum(axis="columns").to_numpy() > 0].reset_index(drop=True)


def matrix(cells: pd.DataFrame, published: pd.DataFrame) -> Numbers:
    """A row per published row and a column per cell: 1 where the row adds it up."""
    places = {name: place for place, name in enumerate(cells["cell"])}
    rows = pd.factorize(published["row"])[0]
    made = np.zeros((rows.max(initial=-1) + 1, len(places)))
    made[rows, [places[cell] for cell in published["cell"]]] = 1
    return made


def bounds(rows: Numbers, totals: Numbers) -> tuple[Numbers, Numbers]:
    """The least and the most of each column x ≥ 0 with rows · x = totals; infinite where no row has the column."""
    kinds, place = np.unique(rows, axis=1, return_inverse=True)  # what stands in the same rows has the same bounds
    alike = np.bincount(place.reshape(-1))
    ends = np.array([[_end(kinds, totals, kind, sign) for sign in (1, -1)] for kind in range(len(alike))])
    ends[alike > 1, 0] = 0  # people can change places between them: each of those may be empty
    return ends[place.reshape(-1), 0], ends[place.reshape(-1), 1]


def _end(rows: Numbers, totals: Numbers, column: int, sign: int) -> float:
    if not rows[:, column].any():
        return 0.0 if sign > 0 else np.inf
    answer = linprog(sign * np.eye(rows.shape[1])[column], A_eq=rows, b_eq=totals, method="highs")
    assert answer.status == 0, answer.message
    return round(float(sign * answer.fun), 6)
