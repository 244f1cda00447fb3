"""Figures over rolling windows: several waves pooled, which may show departments that are too small in each of them.

A department that some waves of the window show and others hide is barred: the window less the waves that are shown
would tell the others. Of the rest, what all waves show is shown, for anyone could add it up; and of what all of them
hide, the pattern of least loss over the window's tree is. What windows tell together is not looked at here.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from transforms.departments import SEPARATOR
from transforms.protect import protect, weight, without
from transforms.segments import CLASSES, COUNTS, Rule

COLUMNS = ("department_id", "department", "waves", "status", "responses", *CLASSES)


def rolling(
    cells: pd.DataFrame,
    departments: pd.DataFrame,
    statuses: Sequence[Mapping[str, str]],
    *,
    shown_now: pd.DataFrame,
    rule: Rule,
) -> pd.DataFrame:
    """One row per department of the newest wave: the counts of all waves of one window, and whether it may be shown.

    `cells` are the answers of these waves by the department that they hang on, with respondents once over all of them;
    `departments` the tree of all of them, and `statuses` what each wave shows; `shown_now` the newest wave's tree. A
    department without answers in a wave is shown there, with none. Beside COLUMNS: weight, which is what hiding the row
    loses, and is_known, where the waves tell it already.
    """
    counts = _counts(cells, departments)
    seen = {name: {of.get(name, "published") for of in statuses} for name in departments["department_id"]}
    barred = {name for name, among in seen.items() if len(among) > 1}
    window = f"{rule.wave}\x1f{len(statuses)}"
    status = dict.fromkeys(barred, "suppressed") | _pattern(counts, departments, barred, window, rule)
    status |= {name: "published" for name, among in seen.items() if among == {"published"}}
    rows = shown_now[["department_id", "name"]].rename(columns={"name": "department"})
    rows = rows.merge(counts, on="department_id", how="left", validate="one_to_one")
    people = rows[list(COUNTS[3:])].sum(axis="columns")
    return rows.assign(
        waves=len(statuses),
        status=rows["department_id"].map(status),
        is_known=[seen[name] == {"published"} for name in rows["department_id"]],
        weight=[
            weight(int(one), rule.noise, wave=window, department=name)
            for one, name in zip(people, rows["department_id"], strict=True)
        ],
    )[[*COLUMNS, "is_known", "weight"]]


def _counts(cells: pd.DataFrame, departments: pd.DataFrame) -> pd.DataFrame:
    """What hangs on each department or below it."""
    columns = list(COUNTS)
    sums = {key: [0] * len(columns) for key in departments["department_key"]}
    for key, *own in cells[["department_key", *columns]].itertuples(index=False):
        path = key.split(SEPARATOR) if key else []
        for depth in range(len(path) + 1):
            above = sums[SEPARATOR.join(path[:depth])]
            above[:] = [total + int(count) for total, count in zip(above, own, strict=True)]
    made = pd.DataFrame([sums[key] for key in departments["department_key"]], columns=columns)
    made.insert(0, "department_id", departments["department_id"].tolist())
    return made.assign(responses=made[list(CLASSES)].sum(axis="columns"))


def _pattern(
    counts: pd.DataFrame, departments: pd.DataFrame, barred: set[str], window: str, rule: Rule
) -> dict[str, str]:
    """The least-loss pattern of what is not barred."""
    tree = without(departments, barred)
    own = counts[counts["department_id"].isin(tree["department_id"])]
    pattern = protect(own, tree, min_respondents=rule.min_respondents, noise=rule.noise, wave=window)
    return dict(zip(pattern["department_id"], pattern["status"], strict=True))
