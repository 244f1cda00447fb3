"""What tables that overlap otherwise than along one tree give away: bounds of every cell, by linear programmes.

Segments and rolling windows are such tables. Their cells are the common refinement: who stands in the same rows of all
of them. Promoters, passives and detractors are published each, so each is bounded by itself and the bounds are added:
of all answers together they would be looser. What hangs together by no row is solved apart (HiGHS, Huangfu, Hall 2018).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import block_array, block_diag, csr_array, csr_matrix
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


def exposed(rows: NDArray[np.bool_], counts: Numbers, *, min_respondents: int) -> NDArray[np.bool_]:
    """Of each cell whether it could be given away, as `audit` says it, of tables with thousands of cells.

    `rows` has a row per published row and a column per cell; `counts` a row per cell and a column per class. A cell
    with twice the minimum is safe whatever is known of it. For the others solutions are looked for that spread the
    bounds far enough, each of which speaks for many cells; and where none does, the bounds are computed.
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
    limits = (0, None) if most is None else np.stack([np.zeros(len(most)), most], axis=1)
    answer = linprog(costs, A_eq=rows, b_eq=totals, bounds=limits, method="highs")
    if answer.status != 0:
        raise TransformError(f"the tables contradict each other: {answer.message}")
    solved: Numbers = answer.x
    return solved


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
