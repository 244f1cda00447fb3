"""How much of the differences between scores goes with each driver's ratings: association, not cause.

Importance is Johnson's relative weight (2000) as a share of R², of the people who gave a score and every rating. Kinds,
thresholds and roundings are ours.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.johnson import TINY, Numbers, bootstrap, correlations, relative_weights
from transforms.residuals import shown

PER_DRIVER = 10  # so many responses at least
MOST = 1000  # of a department's responses in its bootstrap
CONFIDENCE = 0.95
HIGH = 0.75  # of the way up the scale: 4 on a scale of 1 to 5
CLEAR = 0.05  # of the scale's width: 0.2 on a scale of 1 to 5
Z = 1.959963984540054
DIGITS = 4  # of importance; beyond it nobody reads, and a few who rated could be computed
STEPS = 40  # of a mean rating over its scale: tenths on a scale of 1 to 5
COLUMNS = (
    *("department_id", "driver", "kind", "left_out", "responses"),
    *("importance", "importance_low", "importance_high", "r_squared"),
    *("rating_superpromoters", "rating_promoters", "rating_passives"),
)
GROUPS = ("superpromoter", "promoter", "passive")
Scales = Mapping[str, tuple[int, int] | None]  # driver: the ends of its scale, where it is declared


def rated(sums: pd.DataFrame, tree: pd.DataFrame, *, drivers: int, min_respondents: int) -> pd.DataFrame:
    """The rows of `sums` whose drivers are shown: enough people, of two classes, and nobody left over by subtraction.

    Enough is ten per driver and at least `min_respondents`. A department's people less those of what is shown below it
    must be none or at least `min_respondents`: else the smallest below it are not shown, until they are. The column
    `tells_{group}s` is whether the same holds of those of the group who rated, so that their mean may be told. That of
    superpromoters is told beside that of promoters alone, and where the two leave no few, of these or of the others.
    """

    def is_left(rows: pd.DataFrame, counts: pd.Series, is_fit: pd.Series) -> pd.Series:
        names = rows["department_id"].astype(str)
        sizes = dict(zip(names[is_fit], counts[is_fit].astype(int), strict=True))
        left = {name: np.array([size], dtype=np.int64) for name, size in sizes.items()}
        return names.isin(shown(left, tree, sizes=sizes, is_enough=lambda n, _: bool(n == 0 or n >= min_respondents)))

    counts = sums["sum_responses"]
    is_enough = counts >= max(PER_DRIVER * drivers, min_respondents)
    made = sums[is_left(sums, counts, is_enough & (_classes(sums) >= 2))].reset_index(drop=True)
    for group in ("promoter", "passive"):
        counts = made[f"sum_{group}s"]
        made[f"tells_{group}s"] = is_left(made, counts, counts >= max(min_respondents, 2))
    is_fit = made["tells_promoters"] & (made["sum_superpromoters"] >= max(min_respondents, 2))
    made["tells_superpromoters"] = is_left(made, _few(made, tree), is_fit)
    return made


def _few(made: pd.DataFrame, tree: pd.DataFrame) -> pd.Series:
    """Per department the fewest promoters whose ratings alone could follow from both means, of it and of those below.

    Promoters' means tell a sum per part: of a department less those that tell it below. Superpromoters' tell one over
    several parts, and so that of the other promoters there. Each way of subtracting leaves, of each part, one or the
    other: at least the smaller of the two.
    """
    told = made[made["tells_promoters"]]
    pairs = zip(told["sum_superpromoters"].astype(int), told["sum_promoters"].astype(int), strict=True)
    counts = dict(zip(told["department_id"].astype(str), pairs, strict=True))
    few: dict[str, int] = {}
    below: dict[str, list[str]] = {}  # department: the topmost under it that tell
    for row in tree.iloc[::-1].itertuples():
        name, parts = str(row.department_id), below.pop(str(row.department_id), [])
        if name in counts:
            supers, promoters = (counts[name][i] - sum(counts[part][i] for part in parts) for i in (0, 1))
            few[name] = min(supers, promoters - supers) + sum(few[part] for part in parts)
            parts = [name]
        if row.parent_id is not None:
            below.setdefault(str(row.parent_id), []).extend(parts)
    return made["department_id"].astype(str).map(few).fillna(0).astype(int)


def drivers(sums: pd.DataFrame, sample: pd.DataFrame, scales: Scales, *, seed: str) -> pd.DataFrame:
    """One row per department of `sums` × driver, in the order of the mapping; see COLUMNS.

    `importance` sums to 1 over a department's drivers; its interval is a percentile bootstrap of 500 draws, seeded by
    `seed` and the department. Of more than 1,000 responses, 1,000 are drawn from, and their spread is scaled to all of
    them (m out of n). A driver whose ratings do not vary, or follow from those before it, is left out: `left_out` says
    why, and the others are computed without it.

    `kind` is 'strength' where importance is above its equal share and those who carry it on (superpromoters;
    promoters where superpromoters are too few or unknown) rate it in the upper quarter of its scale. It is 'lever'
    where importance is above its equal share, passives rate it below that quarter, and lower than promoters do: by a
    twentieth of the scale at least, and beyond chance (Welch). It may be 'both'. An undeclared scale runs from the
    lowest rating given in the department to the highest. Mean ratings are told in the same steps in every department.
    """
    sampled = {str(name): rows for name, rows in sample.groupby("department_id", sort=False)}
    steps = _steps(sums, scales)
    frames = [
        _department(row, sampled[str(row["department_id"])], scales, steps=steps, seed=seed)
        for row in sums.to_dict("records")
    ]
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    numbers = dict.fromkeys(COLUMNS[5:], "Float64")
    return found.astype({"kind": "string", "left_out": "string", "responses": "int64", **numbers})


def step(width: float) -> float:
    """The step in which a mean rating is told on a scale so wide: the 1, 2 or 5 nearest to a fortieth of it."""
    aim = math.log10((width or 1) / STEPS)
    steps = (digit * 10.0 ** math.floor(aim) for digit in (1, 2, 5, 10))
    return min(steps, key=lambda found: abs(math.log10(found) - aim))


def _steps(sums: pd.DataFrame, scales: Scales) -> Numbers:
    """Each driver's step: of its scale, or of all ratings that are shown anywhere."""
    places = range(1, len(scales) + 1) if len(sums) else ()
    given = [(float(sums[f"lowest_{place}"].min()), float(sums[f"highest_{place}"].max())) for place in places]
    return np.array([step(top - low) for low, top in map(_or_given, scales.values(), given)])


def _or_given(scale: tuple[int, int] | None, given: tuple[float, float]) -> tuple[float, float]:
    return given if scale is None else scale


def _department(
    row: Mapping[Any, Any], sample: pd.DataFrame, scales: Scales, *, steps: Numbers, seed: str
) -> pd.DataFrame:
    p, n = len(scales), int(row["sum_responses"])
    sums, products = _moments(row, p)
    found = correlations(n, sums, products)
    reasons = left_out(found[1:, 1:], _varies(n, sums, products)[1:])
    kept = [place for place in range(p) if reasons[place] is None]
    figures = {name: np.full(p, np.nan) for name in ("importance", "importance_low", "importance_high")}
    explained = relative_weights(found[1:, 1:][np.ix_(kept, kept)], found[1:, 0][kept])
    r_squared = float(explained.sum())
    if r_squared > TINY:
        share = explained / r_squared
        rows = sample[[f"driver_{place}" for place in (0, *(place + 1 for place in kept))]].to_numpy(float)
        drawn = bootstrap(rows, seed=f"{seed}|{row['department_id']}")
        low, high = _interval(share, drawn, used=len(rows), of=n)
        for name, values in (("importance", share), ("importance_low", low), ("importance_high", high)):
            figures[name][kept] = values
    means = {group: _means(row, group, p) for group in GROUPS}
    kinds = [
        _kind(row, place, scale, importance=figures["importance"][place], equal=1 / max(len(kept), 1), means=means)
        for place, scale in enumerate(scales.values())
    ]
    return pd.DataFrame(
        {
            "department_id": row["department_id"],
            "driver": list(scales),
            "kind": kinds,
            "left_out": reasons,
            "responses": n,
            **{name: np.round(values, DIGITS) for name, values in figures.items()},
            "r_squared": round(r_squared, DIGITS),
            **{f"rating_{group}s": np.round(np.round(mean / steps) * steps, 10) for group, (mean, _) in means.items()},
        }
    )


def left_out(found: Numbers, varies: NDArray[np.bool_]) -> list[str | None]:
    """Per driver why it is left out: 'constant', 'collinear' with those before it, or None."""
    kept: list[int] = []
    reasons: list[str | None] = []
    for place, is_varying in enumerate(varies):
        link = found[place, kept]
        rest = 1 - link @ np.linalg.solve(found[np.ix_(kept, kept)], link) if kept else 1.0
        reasons.append("constant" if not is_varying else "collinear" if rest < 1e-8 else None)
        if reasons[-1] is None:
            kept.append(place)
    return reasons


def _moments(row: Mapping[Any, Any], p: int) -> tuple[Numbers, Numbers]:
    every = range(p + 1)
    sums = np.array([float(row[f"sum_{i}"]) for i in every])
    products = np.array([[float(row[f"sum_{min(i, j)}_{max(i, j)}"]) for j in every] for i in every])
    return sums, products


def _varies(n: int, sums: Numbers, products: Numbers) -> NDArray[np.bool_]:
    squares = np.diagonal(products)
    varies: NDArray[np.bool_] = squares - sums**2 / n > TINY * squares
    return varies


def _interval(share: Numbers, drawn: Numbers, *, used: int, of: int) -> tuple[Numbers, Numbers]:
    """Both ends, never beyond the share itself nor outside 0 to 1; NaN where no draw explained anything."""
    known = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(known):
        return np.full_like(share, np.nan), np.full_like(share, np.nan)
    ends = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    if used < of:
        ends = share + (ends - known.mean(axis=0)) * (used / of) ** 0.5
    return np.clip(np.minimum(ends[0], share), 0, 1), np.clip(np.maximum(ends[1], share), 0, 1)


def _means(row: Mapping[Any, Any], group: str, p: int) -> tuple[Numbers, Numbers]:
    """A group's mean rating per driver, and the variance of that mean; NaN where it is not told."""
    n = int(row[f"sum_{group}s"])
    if not row[f"tells_{group}s"]:
        return np.full(p, np.nan), np.full(p, np.nan)
    sums = np.array([float(row[f"sum_{group}_{i}"]) for i in range(1, p + 1)])
    squares = np.array([float(row[f"sum_{group}_{i}_{i}"]) for i in range(1, p + 1)])
    return sums / n, np.clip(squares - sums**2 / n, 0, None) / (n - 1) / n


def _kind(
    row: Mapping[Any, Any],
    place: int,
    scale: tuple[int, int] | None,
    *,
    importance: float,
    equal: float,
    means: Mapping[str, tuple[Numbers, Numbers]],
) -> str | None:
    if not importance > equal:
        return None
    low, top = scale or (float(row[f"lowest_{place + 1}"]), float(row[f"highest_{place + 1}"]))
    superpromoters, promoters, passives = (means[group][0][place] for group in means)
    carriers = promoters if np.isnan(superpromoters) else superpromoters
    high = low + HIGH * (top - low)
    gap, error = promoters - passives, (means["promoter"][1][place] + means["passive"][1][place]) ** 0.5
    is_strength = carriers >= high
    is_lever = passives < high and gap >= CLEAR * (top - low) and gap > Z * error
    if is_strength and is_lever:
        return "both"
    return "strength" if is_strength else "lever" if is_lever else None


def _classes(sums: pd.DataFrame) -> pd.Series:
    promoters, passives = sums["sum_promoters"], sums["sum_passives"]
    detractors = sums["sum_responses"] - promoters - passives
    return (promoters > 0).astype(int) + (passives > 0) + (detractors > 0)
