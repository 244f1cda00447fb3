"""An earlier wave in today's tree: what its release showed, added up again along the departments of now.

Both trees are published, so nothing may be computed from the two together. A node of the new tree is forced out where
some region of the old one has answers both inside and outside it. What remains adds up whole regions: whoever has the
earlier release could have added them himself. Then the same least-loss pattern runs over it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from transforms.change import figure, scores
from transforms.departments import SEPARATOR, Path, department_id, path_of
from transforms.protect import protect, without

CLASSES = ("promoters", "passives", "detractors")
FIGURES = ("responses", *CLASSES, "nps", "nps_low", "nps_high")
Z = 1.959963984540054


def moved(key: str, moves: Mapping[Path, Path]) -> str:
    """Where answers of an earlier wave hang today; `moves` has a department's path of then, and its path of now.

    What lies below a department moves with it, unless it has a move of its own.
    """
    path = path_of(key)
    for depth in range(len(path), 0, -1):
        if path[:depth] in moves:
            return SEPARATOR.join((*moves[path[:depth]], *path[depth:]))
    return key


def regrouped(
    metrics: pd.DataFrame,
    tree: pd.DataFrame,
    *,
    keys: Iterable[str],
    moves: Mapping[Path, Path],
    min_respondents: int,
    noise: bytes,
    wave: str,
) -> pd.DataFrame:
    """One row per department of today's `tree` (with `department_key`): what an earlier wave says of it.

    `metrics` are those of the earlier release, in its own tree, and `keys` the department keys that its answers hang
    on. Columns: department_id, department, parent_id, level, status, and counts and NPS, NULL where it is suppressed.
    `tree` must hold every place to which answers moved. Figures as in metrics: adjusted Wald (Rocks 2016).
    """
    places = _places(metrics, keys, moves)
    bundles = {region: _common(paths) for region, paths in places.items()}
    barred = {
        path[:depth]
        for region, paths in places.items()
        for path in paths
        for depth in range(len(bundles[region]) + 1, len(path) + 1)
    }
    counts = _added_up(_residuals(metrics), bundles, tree)
    pattern = _pattern(counts, tree, barred, min_respondents=min_respondents, noise=noise, wave=wave)
    rows = tree[["department_id", "name", "parent_id", "level"]].rename(columns={"name": "department"})
    rows = rows.merge(pattern[["department_id", "status"]], on="department_id", how="left", validate="one_to_one")
    rows["status"] = rows["status"].fillna("suppressed")
    rows = rows.merge(counts, on="department_id", validate="one_to_one")
    return _with_scores(rows)


def in_todays_tree(metrics: pd.DataFrame, rows: pd.DataFrame | None, *, reshaped: Collection[str]) -> pd.DataFrame:
    """An earlier release's metrics to hold today's against: of `reshaped` departments the `rows` of `regrouped`.

    Whether one is such a row stands in is_regrouped. What the release told of a reshaped department by the tree of
    its time stays only where today's tree has no such department; without `rows` all of it goes.
    """
    gone = set(reshaped) if rows is None else {*reshaped} & {*rows["department_id"]}
    kept = metrics[~metrics["department_id"].isin(gone)].assign(is_regrouped=False)
    if rows is None or metrics.empty:
        return kept.reset_index(drop=True)
    of_wave = {name: metrics[name].iloc[0] for name in ("survey", "wave")}
    today = rows[rows["department_id"].isin(gone)].assign(is_regrouped=True, **of_wave)
    columns = [name for name in metrics.columns if name in today.columns]
    plain = today[[*columns, "is_regrouped"]].astype({name: metrics[name].dtype for name in columns}, errors="ignore")
    return pd.concat([kept, plain], ignore_index=True)


def _places(metrics: pd.DataFrame, keys: Iterable[str], moves: Mapping[Path, Path]) -> dict[str, list[Path]]:
    """For each region of the earlier release the paths of today on which its answers hang."""
    places: dict[str, list[Path]] = {}
    owners = _owners(metrics)
    for key in sorted(keys):
        places.setdefault(owners[department_id(path_of(key))], []).append(path_of(moved(key, moves)))
    return places


def _owners(metrics: pd.DataFrame) -> dict[str, str]:
    """The region of each department of the earlier release; parents stand before their children."""
    owners: dict[str, str] = {}
    for name, parent, status in zip(metrics["department_id"], metrics["parent_id"], metrics["status"], strict=True):
        owners[name] = name if status == "published" or parent not in owners else owners[parent]
    return owners


def _residuals(metrics: pd.DataFrame) -> dict[str, list[int]]:
    """What each region holds: a published row less the published rows right below it."""
    owners = _owners(metrics)
    shown = metrics[metrics["status"] == "published"]
    columns = [shown[name].astype(int).tolist() for name in CLASSES]
    counts = dict(zip(shown["department_id"], map(list, zip(*columns, strict=True)), strict=True))
    left = {name: list(own) for name, own in counts.items()}
    parents = dict(zip(metrics["department_id"], metrics["parent_id"], strict=True))
    for name, own in counts.items():
        if parents[name] in owners:
            above = left[owners[parents[name]]]
            above[:] = [total - count for total, count in zip(above, own, strict=True)]
    return left


def _common(paths: Sequence[Path]) -> Path:
    """The lowest department that all of these hang on."""
    first, last = min(paths), max(paths)
    depth = next((d for d, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
    return first[: min(len(first), len(last)) if depth is None else depth]


def _added_up(residuals: Mapping[str, list[int]], bundles: Mapping[str, Path], tree: pd.DataFrame) -> pd.DataFrame:
    """Of each department of today, the regions that lie wholly in it."""
    counts = {name: [0, 0, 0] for name in tree["department_id"]}
    for region, path in bundles.items():
        for depth in range(len(path) + 1):
            own = counts[department_id(path[:depth])]
            own[:] = [total + count for total, count in zip(own, residuals[region], strict=True)]
    frame = pd.DataFrame(list(counts.values()), columns=list(CLASSES), index=list(counts))
    return frame.assign(responses=frame.sum(axis="columns")).rename_axis("department_id").reset_index()


def _pattern(
    counts: pd.DataFrame,
    tree: pd.DataFrame,
    barred: Collection[Path],
    *,
    min_respondents: int,
    noise: bytes,
    wave: str,
) -> pd.DataFrame:
    """The least-loss pattern of what is not forced out."""
    remains = without(tree, {department_id(path) for path in barred})
    own = counts[counts["department_id"].isin(remains["department_id"])]
    tallies = own.rename(columns={name: f"respondent_{name}" for name in CLASSES})
    return protect(tallies, remains, min_respondents=min_respondents, noise=noise, wave=wave)


def _with_scores(rows: pd.DataFrame) -> pd.DataFrame:
    n = rows["responses"].astype("float64")
    raw = 100 * (rows["promoters"] - rows["detractors"]) / n.where(n > 0)
    made = scores(rows.assign(nps=raw))
    margin = Z * made["variance"] ** 0.5
    rows = rows.assign(
        nps=figure(raw),
        nps_low=figure((100 * (made["adjusted"] - margin).clip(lower=-1)).where(n > 0)),
        nps_high=figure((100 * (made["adjusted"] + margin).clip(upper=1)).where(n > 0)),
    )
    is_shown = rows["status"] == "published"
    for name in ("responses", *CLASSES):
        rows[name] = rows[name].astype("Int64")
    for name in FIGURES:
        rows[name] = rows[name].where(is_shown)
    return rows[["department_id", "department", "parent_id", "level", "status", *FIGURES]]
