"""What an outsider can work out from what is published alone: residuals, linear programmes, integer solutions.

He reads the rows of a wave's revisions, and knows how they are made, but not the home's secret. People live in a cell
(a department's own answers) from one revision to another; he looks for the least and the most of each such group.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import block_diag

CLASSES = ("promoters", "passives", "detractors")
Counts = tuple[int, int, int]
Life = tuple[int, int]  # the first and the last revision in which someone counts
Column = tuple[str, Life]
Bounds = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]  # of each class, and of them all


@dataclass(frozen=True)
class Residual:
    """The cells of a published row less those of the published rows below it, in one revision."""

    revision: int
    cells: frozenset[str]
    counts: Counts


class Outsider:
    """Reads the revisions of one wave of one organisation, and what else is published of the same people."""

    def __init__(self, revisions: Sequence[pd.DataFrame], also: Sequence[Residual] = ()) -> None:
        self.also = also
        self.shown = [_shown(metrics) for metrics in revisions]
        self.parents: dict[str, str | None] = {
            department: parent
            for metrics in revisions
            for department, parent in zip(metrics["department_id"], metrics["parent_id"], strict=True)
        }
        self.cells = list(self.parents)  # also those that only a later revision has

    @cached_property
    def residuals(self) -> list[Residual]:
        """Everything that is published, taken apart; equal to the published rows by addition."""
        found = [*self.also]
        for revision, shown in enumerate(self.shown):
            owner = {cell: next(above for above in self.line(cell) if above in shown) for cell in self.cells}
            for row, counts in shown.items():
                below = [shown[other] for other in shown if other != row and self.lowest_above(other, shown) == row]
                own = tuple(count - sum(one[kind] for one in below) for kind, count in enumerate(counts))
                cells = frozenset(cell for cell in self.cells if owner[cell] == row)
                found.append(Residual(revision, cells, own))  # type: ignore[arg-type]
        return found

    @cached_property
    def lives(self) -> list[Life]:
        """From which revision to which somebody can count."""
        last = len(self.shown)
        return [(first, until) for first in range(last) for until in range(first, last)]

    def line(self, cell: str) -> Iterator[str]:
        """The department itself and all above it."""
        above: str | None = cell
        while isinstance(above, str):
            yield above
            above = self.parents.get(above)

    def lowest_above(self, row: str, shown: Collection[str]) -> str | None:
        return next((above for above in self.line(row) if above != row and above in shown), None)

    def below(self, row: str) -> set[str]:
        return {cell for cell in self.cells if row in self.line(cell)}

    def bounds(self, groups: Sequence[Collection[Column]]) -> list[Bounds]:
        """The least and the most of each group: linear programmes for promoters, passives, detractors and all."""
        blocks, sides, costs, owners = [], [], [], []
        for number, group in enumerate(groups):
            matrix, rows, wanted = self._programme(group)
            for quantity in range(4):
                side = [sum(row.counts) if quantity == 3 else row.counts[quantity] for row in rows]
                for sign in (1, -1):
                    blocks.append(matrix)
                    sides += side
                    costs.append(sign * wanted)
                    owners.append((number, quantity, sign, len(wanted)))
        if not blocks:
            return []
        answer = linprog(np.concatenate(costs), A_eq=block_diag(blocks, format="csr"), b_eq=sides, method="highs")
        assert answer.status == 0, answer.message
        ends: dict[tuple[int, int, int], int] = {}
        place = 0
        for (number, quantity, sign, width), cost in zip(owners, costs, strict=True):
            ends[number, quantity, sign] = round(sign * float(answer.x[place : place + width] @ cost))
            place += width
        return [
            tuple((ends[number, quantity, 1], ends[number, quantity, -1]) for quantity in range(4))  # type: ignore[misc]
            for number in range(len(groups))
        ]

    def _programme(self, group: Collection[Column]) -> tuple[np.ndarray, list[Residual], np.ndarray]:
        """The equations that bear on a group; columns that stand in the same equations are one."""
        wanted = set(group)
        cells, rows = {cell for cell, _ in wanted}, set[int]()
        while True:  # grow to everything that hangs together
            more = {place for place, row in enumerate(self.residuals) if row.cells & cells}
            if more == rows:
                break
            rows, cells = more, set().union(*(self.residuals[place].cells for place in more))
        used = [self.residuals[place] for place in sorted(rows)]
        merged: dict[tuple[tuple[bool, ...], bool], None] = {}
        for column in product(sorted(cells), self.lives):
            cell, (first, last) = column
            stands = tuple(cell in row.cells and first <= row.revision <= last for row in used)
            merged[stands, column in wanted] = None
        matrix = np.array([stands for stands, _ in merged], dtype=float).T
        return matrix, used, np.array([float(is_wanted) for _, is_wanted in merged])


def solutions(outsider: Outsider, *, most: int) -> Iterator[dict[str, Counts]]:
    """Every way in which the people of a wave's first release can lie in its cells; none where these are too many."""
    residuals = [row for row in outsider.residuals if row.revision == 0]
    ways = [list(_ways(row.counts, sorted(row.cells), most)) for row in residuals]
    if np.prod([len(one) for one in ways], dtype=float) > most:
        return
    for chosen in product(*ways):
        yield {cell: counts for part in chosen for cell, counts in part.items()}


def _ways(counts: Counts, cells: Sequence[str], most: int) -> Iterator[dict[str, Counts]]:
    per_class = [list(_parts(count, len(cells), most)) for count in counts]
    if np.prod([len(one) for one in per_class], dtype=float) > most:
        yield from ({} for _ in range(most + 1))
        return
    for promoters, passives, detractors in product(*per_class):
        yield dict(zip(cells, zip(promoters, passives, detractors, strict=True), strict=True))


def _parts(count: int, cells: int, most: int) -> Iterator[tuple[int, ...]]:
    """So many people over so many cells."""
    if cells == 1:
        yield (count,)
        return
    for here in range(count + 1):
        for rest in _parts(count - here, cells - 1, most):
            yield (here, *rest)


def _shown(metrics: pd.DataFrame) -> dict[str, Counts]:
    rows = metrics[metrics["status"] == "published"]
    counts = [rows[name].astype(int).tolist() for name in CLASSES]
    return dict(zip(rows["department_id"], zip(*counts, strict=True), strict=True))
