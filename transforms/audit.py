"""What tables that overlap otherwise than along one tree give away: bounds of every cell, by linear programmes.

Segments and rolling windows are such tables. Their cells are the common refinement: who stands in the same rows of all
of them. Promoters, passives and detractors are published each, so each is bounded by itself and the bounds are added:
of all answers together they would be looser. What hangs together by no row is solved apart (HiGHS, Huangfu, Hall 2018).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_matrix
from scipy.sparse.csgraph import connected_components

from transforms import TransformError

CLASSES = ("promoters", "passives", "detractors")
TOGETHER = 64  # programmes that are solved as one

Numbers = NDArray[np.float64]


def audit(cells: pd.DataFrame, published: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """One row per cell with people in it: the least and the most that it is bounded to, and whether that is safe.

    `cells` has every cell that could hold anyone, empty ones too: cell, promoters, passives, detractors. `published`
    names the cells that each published row adds up: row, cell. A cell is safe where `low` reaches the minimum, or
    where `high` lies at least so far above `low`. A cell in no published row is bounded by nothing, and safe.
    """
    names = cells["cell"].tolist()
    matrix = _matrix(published, names)
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for kind in CLASSES:
        counts = cells[kind].to_numpy(dtype=float)
        least, most = bounds(matrix, matrix @ counts)
        low, high = low + least, high + most
    is_safe = (low >= min_respondents) | (high - low >= min_respondents)
    audited = pd.DataFrame({"cell": names, "low": low, "high": high, "is_safe": is_safe})
    return audited[cells[list(CLASSES)].sum(axis="columns").to_numpy() > 0].reset_index(drop=True)


def require_safe(audited: pd.DataFrame) -> None:
    """Raise TransformError where a cell could be given away; it names the cells, so it is for the operator alone."""
    exposed = audited.loc[~audited["is_safe"], "cell"].tolist()
    if exposed:
        raise TransformError(
            f"{len(exposed)} small groups could be computed from what the tables say together: "
            f"{', '.join(map(str, exposed[:20]))}{', …' if len(exposed) > 20 else ''}. "
            "Leave out a segment or a window, or bring in more answers"
        )


def bounds(rows: Numbers, totals: Numbers) -> tuple[Numbers, Numbers]:
    """The least and the most of each column x ≥ 0 with rows · x = totals; infinite where no row has the column."""
    low, high = np.zeros(rows.shape[1]), np.full(rows.shape[1], np.inf)
    for part, own in _parts(rows):
        unlike, place, alike = np.unique(rows[np.ix_(own, part)], axis=1, return_inverse=True, return_counts=True)
        least, most = _ends(unlike, totals[own])
        place = place.reshape(-1)
        # people can change places between cells that stand in the same rows: each of those may be empty
        low[part], high[part] = np.where(alike > 1, 0, least)[place], most[place]
    return low, high


def _matrix(published: pd.DataFrame, names: Sequence[object]) -> Numbers:
    places = {name: place for place, name in enumerate(names)}
    strange = sorted({str(cell) for cell in published["cell"]} - {str(name) for name in names})
    if strange or len(places) != len(names):
        raise TransformError(
            f"published rows add up cells that are not there, or are there twice (first: {strange[:1]})"
        )
    rows = pd.factorize(published["row"])[0]
    matrix = np.zeros((rows.max(initial=-1) + 1, len(names)))
    matrix[rows, [places[cell] for cell in published["cell"]]] = 1
    return matrix


def _parts(rows: Numbers) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The columns that hang together, and the rows that hold them."""
    shared = csr_matrix(rows.T @ rows)
    number, label = connected_components(shared, directed=False)
    for one in range(number):
        part = np.flatnonzero(label == one)
        own = np.flatnonzero(rows[:, part].any(axis=1))
        if len(own):
            yield part, own


def _ends(rows: Numbers, totals: Numbers) -> tuple[Numbers, Numbers]:
    columns = rows.shape[1]
    costs = [sign * np.eye(columns)[column] for column in range(columns) for sign in (1, -1)]
    found: list[float] = []
    for start in range(0, len(costs), TOGETHER):
        some = costs[start : start + TOGETHER]
        answer = linprog(
            np.concatenate(some),
            A_eq=block_diag([rows] * len(some), format="csr"),
            b_eq=np.tile(totals, len(some)),
            method="highs",
        )
        if answer.status != 0:
            raise TransformError(f"the tables contradict each other: {answer.message}")
        solved = answer.x.reshape(len(some), columns)
        found += [round(float(cost @ one), 6) for cost, one in zip(some, solved, strict=True)]
    ends = np.array(found).reshape(columns, 2)
    return ends[:, 0], -ends[:, 1]
