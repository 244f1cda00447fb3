"""What tables that overlap otherwise than along one tree give away: bounds of every cell, by linear programmes.

Segments and rolling windows are such tables. Their cells are the common refinement: who stands in the same rows of all
of them. Promoters, passives and detractors are published each, so each is bounded by itself and the bounds are added:
of all answers together they would be looser. What hangs together by no row is solved apart (HiGHS, Huangfu, Hall 2018).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, csr_array, csr_matrix
from scipy.sparse.csgraph import connected_components

from transforms import TransformError

Numbers = NDArray[np.float64]


def exposed(rows: NDArray[np.bool_], counts: Numbers, *, min_respondents: int) -> NDArray[np.bool_]:
    """Of each cell with people in it whether it could be given away; of tables with thousands of cells.

    `rows` has a row per published row and a column per cell; `counts` a row per cell, empty ones too, and a column per
    class. A cell is safe where its lower bound reaches the minimum, or where its upper one lies at least so far above;
    in no published row it is bounded by nothing. With twice the minimum it is safe whatever is known. For the others
    solutions are looked for that spread the bounds far enough, each of which speaks for many cells; and where none
    does, the bounds are computed.
    """
    place, alike = _kinds(rows)
    first = np.zeros(len(alike), dtype=np.intp)
    first[place] = np.arange(len(place))
    sums = np.stack([np.bincount(place, kind, minlength=len(alike)) for kind in counts.T], axis=1).astype(float)
    people = sums.sum(axis=1)
    # people can change places between cells that stand in the same rows: each of those may be empty
    asked = (people > 0) & (people < np.where(alike > 1, 1, 2) * min_respondents)
    is_narrow = np.zeros(len(alike), dtype=np.bool_)
    for part, own in _parts(rows[:, first]):
        if asked[part].any():
            matrix = csr_array(rows[np.ix_(own, first[part])].astype(np.float64))
            low = np.where(alike[part, np.newaxis] > 1, 0, sums[part])
            is_narrow[part] = _narrow(matrix, sums[part], low, asked=asked[part], least=min_respondents)
    found: NDArray[np.bool_] = is_narrow[place] & (counts.sum(axis=1) > 0)
    return found


def _parts(rows: NDArray[Any]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The columns that hang together, and the rows that hold them."""
    holds = csr_matrix(rows)
    _, label = connected_components(block_array([[None, holds], [holds.T, None]]), directed=False)
    of_rows, of_columns = label[: rows.shape[0]], label[rows.shape[0] :]
    for one in np.unique(of_rows):
        part = np.flatnonzero(of_columns == one)
        if len(part):
            yield part, np.flatnonzero(of_rows == one)


def _kinds(rows: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The kind of each column, those that stand in the same rows being of one, and how many are of each."""
    packed = np.ascontiguousarray(np.packbits(rows, axis=0).T)
    if not packed.shape[1]:
        return np.zeros(rows.shape[1], dtype=np.intp), np.full(1, rows.shape[1], dtype=np.intp)
    _, place, alike = np.unique(packed, axis=0, return_inverse=True, return_counts=True)
    return place.reshape(-1), alike


def _narrow(
    rows: csr_array, counts: Numbers, low: Numbers, *, asked: NDArray[np.bool_], least: int
) -> NDArray[np.bool_]:
    """Of each column that is asked whether its bounds, added up over the classes, give it away.

    `low` and `high` are of all solutions that were seen: the bounds of a column lie no closer, and after its own
    programmes just there.
    """
    totals, high, low = rows @ counts, counts.copy(), low.astype(np.float64)

    def is_open() -> NDArray[np.bool_]:
        narrow: NDArray[np.bool_] = asked & (np.round((high - low).sum(axis=1), 6) < least)
        return narrow

    def see(kind: int, held: NDArray[np.intp], solved: Numbers) -> None:
        low[held, kind], high[held, kind] = np.minimum(low[held, kind], solved), np.maximum(high[held, kind], solved)

    chance = np.random.default_rng(0)
    before, left = len(asked) + 2, int(is_open().sum())
    while before - left > 1 < left:  # many at once, as long as that closes more than one by one would
        for kind in range(counts.shape[1]):
            held = np.flatnonzero((now := is_open()) | (counts[:, kind] > 0))
            costs = np.where(now, -chance.random(len(now)), 0)[held]
            # no column is given more than it needs: so more of them get it
            most = np.where(now, low[:, kind] + least, np.inf)[held]
            see(kind, held, _solved(rows[:, held], totals[:, kind], costs, most))
        before, left = left, int(is_open().sum())
    for column in np.flatnonzero(is_open()):
        costs = np.eye(1, len(asked), int(column))[0]
        for kind, sign in [(kind, sign) for sign in (-1, 1) for kind in range(counts.shape[1])]:
            if is_open()[column]:
                see(kind, np.arange(len(asked)), _solved(rows, totals[:, kind], sign * costs))
    found: NDArray[np.bool_] = is_open() & (np.round(low.sum(axis=1), 6) < least)
    return found


def _solved(rows: csr_array, totals: Numbers, costs: Numbers, most: Numbers | None = None) -> Numbers:
    """The solution x ≥ 0, and none of it above `most`, of rows · x = totals with the least costs."""
    from scipy.optimize import linprog  # a fifth of a second to import, and most surveys have no tables that overlap

    limits = (0, None) if most is None else np.stack([np.zeros(len(most)), most], axis=1)
    answer = linprog(costs, A_eq=rows, b_eq=totals, bounds=limits, method="highs")
    if answer.status != 0:
        raise TransformError(f"the tables contradict each other: {answer.message}")
    solved: Numbers = answer.x
    return solved
