"""A wave in the tree of the next one, as mart.regrouped shows it, and what the changes against it tell besides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tests.attack.country import SECRET, Released, Unit
from tests.attack.organisations import Organisation, place
from tests.attack.outsider import CLASSES, Residual
from transforms import TransformError
from transforms.change import change
from transforms.departments import SEPARATOR, department_id, departments, path_of
from transforms.moves import reshaped
from transforms.protect import protect
from transforms.reorganisations import in_todays_tree, regrouped

Regroup = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Today:
    """One revision of a wave in today's tree: what is published of it, and which cells of then hang on what is not."""

    rows: Sequence[Residual]
    hidden: Mapping[str, frozenset[str]]
    says: Mapping[str, float]  # the NPS that is published of each department
    base: pd.DataFrame  # what the later release is held against
    later: pd.DataFrame | None


def in_the_new_tree(
    organisation: Organisation, before: Unit, now: Unit | None, *, k: int, regroup: Regroup | None = None
) -> list[Today]:
    """Each revision of the wave before, as a release of the next wave shows it."""
    return [
        _today(organisation, revision, one, now.released[0].metrics if now else None, k=k, regroup=regroup or honest)
        for revision, one in enumerate(before.released)
    ]


def honest(released: Released, tree: pd.DataFrame, now: Mapping[str, str], *, k: int, wave: str) -> pd.DataFrame:
    """As a release does it: from what the earlier one published."""
    return regrouped(
        with_ids(released.metrics),
        tree,
        keys=now,
        moves={path_of(was): path_of(key) for was, key in now.items()},
        min_respondents=k,
        noise=SECRET,
        wave=wave,
    )


def unbarred(released: Released, tree: pd.DataFrame, now: Mapping[str, str], *, k: int, wave: str) -> pd.DataFrame:
    """By a careless hand: the answers of then are counted again in today's tree, and protected in it alone."""
    counts = {key: dict.fromkeys(("promoter", "passive", "detractor"), 0) for key in tree["department_key"]}
    for answer in released.counted:
        path = path_of(now[key_of(answer.cell)])
        for depth in range(len(path) + 1):
            counts[SEPARATOR.join(path[:depth])][answer.kind] += 1
    tallies = pd.DataFrame([list(counts[key].values()) for key in tree["department_key"]], columns=list(CLASSES))
    tallies = tallies.assign(department_id=tree["department_id"], responses=tallies.sum(axis="columns"))
    people = tallies.rename(columns={name: f"respondent_{name}" for name in CLASSES})
    pattern = protect(people, tree, min_respondents=k, noise=SECRET, wave=wave)
    n = tallies["responses"].astype(float)
    nps = (100 * (tallies["promoters"] - tallies["detractors"]) / n.where(n > 0)).round(10)
    return tree.assign(status=pattern["status"]).merge(tallies.assign(nps=nps), on="department_id")


def _today(
    organisation: Organisation,
    revision: int,
    before: Released,
    later: pd.DataFrame | None,
    *,
    k: int,
    regroup: Regroup,
) -> Today:
    cells = before.metrics["department_id"].tolist()
    above = set(before.metrics["parent_id"])
    answered = {answer.cell or "all" for answer in before.counted}
    held = {key_of(cell) for cell in cells if cell in answered or cell not in above}
    today = {cell: place("" if cell == "all" else cell, organisation.moves) for cell in cells}
    now = {key_of(cell): key_of(today[cell]) for cell in cells if key_of(cell) in held}
    paths = {key_of(path) for path in (later["department_id"] if later is not None else ())}
    tree = departments({*paths, *now.values(), *map(key_of, today.values())}, organisation="all")
    try:
        rows = regroup(before, tree, now, k=k, wave=before.metrics["wave"].iloc[0])
    except TransformError:  # nothing of it may be shown
        return Today([], {}, {}, before.metrics.head(0), None)
    below = {
        name: frozenset(cell for cell in cells if path_of(key_of(today[cell]))[: len(path)] == path)
        for name, path in zip(tree["department_id"], tree["path"], strict=True)
    }
    is_shown = rows["status"] == "published"
    found = [
        Residual(revision, below[name], (int(promoters), int(passives), int(detractors)))
        for name, promoters, passives, detractors in rows.loc[is_shown, ["department_id", *CLASSES]].itertuples(
            index=False
        )
    ]
    hidden = {name: below[name] for name in rows.loc[~is_shown, "department_id"]}
    says = dict(zip(rows["department_id"], rows["nps"].where(is_shown), strict=True))
    base = in_todays_tree(with_ids(before.metrics), rows, reshaped=reshaped(now))
    return Today([row for row in found if row.cells], hidden, says, base, None if later is None else with_ids(later))


def unsaid(all_of: Sequence[Today]) -> list[str]:
    """The departments whose change, taken off the figure of now, is not one that is published of then."""
    held = [(str(number), one) for number, one in enumerate(all_of) if one.later is not None]
    moved = change(
        _together([(number, one.later) for number, one in held if one.later is not None]),
        _together([(number, one.base) for number, one in held]),
        previous_release_id="earlier",
    )
    told = moved.loc[moved["nps_change"].notna(), ["department_id", "nps", "nps_change"]]
    says = {f"{number} {name}": nps for number, one in held for name, nps in one.says.items()}
    return [
        name
        for name, nps, difference in told.itertuples(index=False)
        if pd.isna(says.get(name)) or abs(float(nps - difference) - float(says[name])) > 1e-6
    ]


def _together(frames: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    return pd.concat(
        [one.assign(department_id=f"{number} " + one["department_id"]) for number, one in frames], ignore_index=True
    )


def key_of(path: str) -> str:
    """A path's department key; `all`, and nothing, is the organisation itself."""
    return "" if path == "all" else path.replace("/", SEPARATOR)


def with_ids(metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics with the ids that departments have when they stand alone."""
    ids = {path: department_id(path_of(key_of(path))) for path in metrics["department_id"]}
    parents = [ids.get(parent) for parent in metrics["parent_id"]]
    return metrics.assign(department_id=metrics["department_id"].map(ids), parent_id=pd.Series(parents, dtype=object))
