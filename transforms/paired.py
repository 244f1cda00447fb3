"""Of respondents who answered in both waves: how their answers hang together, where that may be told."""

from collections import defaultdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CLASSES = ("detractor", "passive", "promoter")
SIGNS = np.array([-1, 0, 1])
COLUMNS = ("department_id", "pairs", "covariance", "difference_variance")

Moves = NDArray[np.int64]  # class before × class now: how many respondents
Answers = NDArray[np.int64]  # wave before and now × class


def paired(
    moves: pd.DataFrame, metrics: pd.DataFrame, previous_metrics: pd.DataFrame, *, min_respondents: int
) -> pd.DataFrame:
    """One row per department published in both waves whose pairs may count: how many, and the covariance of s, −1…1.

    `moves` has the rows of `paired.sql`; the metrics stand in tree order. An interval's width gives the covariance
    away, and with it how many answered both waves; what a department has less what those below it have could be
    subtracted. So pairs count in disjoint groups: a department's own are those that no published one below it uses.
    They count, in it and in all above it, only where they are at least `min_respondents`, two classes moved, and not
    all by the same step; and where those who answered one of the waves alone are nobody, or enough too. Others wait,
    and join those of the department above; those who moved between departments only where none of these uses its own.
    `difference_variance` is that of s now less s before, with n − 1.
    """
    everyone, settled = _matrices(moves), _matrices(moves[~moves["moved"].astype(bool)])
    now, before = _counts(metrics), _counts(previous_metrics)
    published = now.keys() & before.keys()
    parents = dict(zip(metrics["department_id"], metrics["parent_id"], strict=True))
    used, stayed = ({name: np.zeros((3, 3), dtype=np.int64) for name in parents} for _ in range(2))
    held: dict[str, Answers] = {name: np.zeros((2, 3), dtype=np.int64) for name in parents}  # by those below that count
    for name in reversed(list(parents)):  # children stand after their parents
        own = settled[name] - stayed[name] if used[name].any() else everyone[name]
        if name in published and may_count(own, min_respondents=min_respondents):
            answers = np.stack([before[name], now[name]])
            alone = answers - held[name] - np.stack([own.sum(axis=1), own.sum(axis=0)])
            if all(_are_nobody_or_enough(wave, min_respondents=min_respondents) for wave in alone):
                used[name], stayed[name], held[name] = used[name] + own, settled[name], answers
        if parents[name] in used:
            for below in (used, stayed, held):
                below[parents[name]] = below[parents[name]] + below[name]
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


def _matrices(moves: pd.DataFrame) -> defaultdict[str, Moves]:
    matrices = defaultdict[str, Moves](lambda: np.zeros((3, 3), dtype=np.int64))
    columns = (moves[name] for name in ("department_id", "class_before", "class_now", "respondents"))
    for department, before, now, respondents in zip(*columns, strict=True):
        matrices[department][CLASSES.index(before), CLASSES.index(now)] += int(respondents)
    return matrices


def _counts(metrics: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """The answers of each published department, by class in the order of CLASSES."""
    rows = metrics[(metrics["status"] == "published") & metrics["nps"].notna()]
    answers = rows[[f"{name}s" for name in CLASSES]].astype("int64").to_numpy()
    return dict(zip(rows["department_id"].tolist(), answers, strict=True))


def _are_nobody_or_enough(alone: NDArray[np.int64], *, min_respondents: int) -> bool:
    """Whether those who answered one wave alone, by class, are none, or enough of two classes."""
    return bool(alone.sum() == 0 or (alone.sum() >= min_respondents and (alone > 0).sum() >= 2))


def _told(moves: Moves) -> tuple[int, float, float]:
    n = int(moves.sum())
    both = int(SIGNS @ moves @ SIGNS)
    before, now = int(SIGNS @ moves.sum(axis=1)), int(moves.sum(axis=0) @ SIGNS)
    squares = int((moves * np.subtract.outer(SIGNS, SIGNS) ** 2).sum())
    return n, (both - before * now / n) / n, (squares - (now - before) ** 2 / n) / (n - 1)
