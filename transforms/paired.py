"""Of respondents who answered in both waves: how their answers hang together, where that may be told."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CLASSES = ("detractor", "passive", "promoter")
SIGNS = np.array([-1, 0, 1])
COLUMNS = ("department_id", "pairs", "covariance", "difference_variance")

Moves = NDArray[np.int64]  # class before × class now: how many respondents


def paired(
    moves: pd.DataFrame, metrics: pd.DataFrame, previous_metrics: pd.DataFrame, *, min_respondents: int
) -> pd.DataFrame:
    """One row per department published in both waves whose pairs may count: how many, and the covariance of s, −1…1.

    `moves` has the rows of `paired.sql`; the metrics stand in tree order. An interval's width gives the covariance
    away, and what a department has less what those below it have could be subtracted. So pairs count in disjoint
    groups: a department's own are those that no published one below it uses, and they count, in it and in all above
    it, only where they are at least `min_respondents`, two classes moved, and not all by the same step. Others wait,
    and join those of the department above. `difference_variance` is that of s now less s before, with n − 1.
    """
    matrices = _matrices(moves)
    published = _published(metrics) & _published(previous_metrics)
    parents = dict(zip(metrics["department_id"], metrics["parent_id"], strict=True))
    used: dict[str, Moves] = {name: np.zeros((3, 3), dtype=np.int64) for name in parents}
    for name in reversed(list(parents)):  # children stand after their parents
        own = matrices.get(name, np.zeros((3, 3), dtype=np.int64)) - used[name]
        if name in published and may_count(own, min_respondents=min_respondents):
            used[name] = used[name] + own
        if parents[name] in used:
            used[parents[name]] = used[parents[name]] + used[name]
    rows = [(name, *_told(used[name])) for name in parents if name in published and used[name].sum() > 0]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[1:], "float64"))


def may_count(moves: Moves, *, min_respondents: int) -> bool:
    """Whether so many moved in so many ways that the covariance tells of nobody."""
    movers = moves * (1 - np.eye(3, dtype=np.int64))
    steps = {int(SIGNS[now] - SIGNS[before]) for before, now in np.argwhere(moves > 0)}
    return bool(moves.sum() >= min_respondents and (movers.sum(axis=1) > 0).sum() >= 2 and len(steps) >= 2)


def nobody() -> pd.DataFrame:
    """The frame of two waves that nobody answered both of, or where respondents are not known."""
    return pd.DataFrame({name: pd.Series(dtype="object" if name == "department_id" else "float64") for name in COLUMNS})


def _matrices(moves: pd.DataFrame) -> dict[str, Moves]:
    matrices: dict[str, Moves] = {}
    columns = (moves[name] for name in ("department_id", "class_before", "class_now", "respondents"))
    for department, before, now, respondents in zip(*columns, strict=True):
        matrix = matrices.setdefault(department, np.zeros((3, 3), dtype=np.int64))
        matrix[CLASSES.index(before), CLASSES.index(now)] += int(respondents)
    return matrices


def _published(metrics: pd.DataFrame) -> set[str]:
    return set(metrics.loc[(metrics["status"] == "published") & metrics["nps"].notna(), "department_id"])


def _told(moves: Moves) -> tuple[int, float, float]:
    n = int(moves.sum())
    both = int(SIGNS @ moves @ SIGNS)
    before, now = int(SIGNS @ moves.sum(axis=1)), int(moves.sum(axis=0) @ SIGNS)
    squares = int((moves * np.subtract.outer(SIGNS, SIGNS) ** 2).sum())
    return n, (both - before * now / n) / n, (squares - (now - before) ** 2 / n) / (n - 1)
