"""Which departments' weighted figures tell of no small group: who knows the margins could compute it from them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.residuals import shown
from transforms.sql import filled
from transforms.weights import labels, level_of

CLASSES = ["promoters", "passives", "detractors"]
Counts = NDArray[np.int64]  # moment × group × class


def weight_groups_sql(responses: str, margins: Sequence[str], segments: Sequence[str]) -> str:
    """The select of the groups that those margins that are over segments make of `responses`, a select."""
    over = [margin for margin in margins if level_of(margin, segments) is None]
    names = ", ".join(f"margin_{number}" for number in range(1, len(over) + 1))
    return filled("weight_groups", {"responses": responses, "labels": labels(over, segments), "names": names})


def tellable(now: pd.DataFrame, before: Sequence[pd.DataFrame], metrics: pd.DataFrame, *, least: int) -> set[str]:
    """The published departments whose weighted figures may be shown, by the groups `now` and in the releases `before`.

    A group is everyone of one category of one margin. In a department it is nobody, or at least `least` people, of two
    classes unless they are twice as many; after subtraction of the departments shown below it, nobody or at least
    `least` of two classes. And so it is, net, of those who came since each release before, and of those who went.
    """
    counts = _counts([now, *before])
    none = np.zeros_like(next(iter(counts.values()), np.zeros((1 + len(before), 0, 3), dtype=np.int64)))
    published = metrics[metrics["status"] == "published"]
    sizes = dict(zip(published["department_id"], published["responses"].astype(int), strict=True))

    def is_enough(left: Counts, is_residual: bool) -> bool:
        changes = left[0] - left[1:]
        moved = np.concatenate([np.maximum(changes, 0), np.maximum(-changes, 0)])
        return _are_enough(left[0], least, one_class=None if is_residual else 2 * least) and _are_enough(moved, least)

    everyone = {name: counts.get(name, none) for name in sizes}
    return shown(everyone, metrics, sizes=sizes, is_enough=is_enough)


def _counts(moments: Sequence[pd.DataFrame]) -> dict[str, Counts]:
    """Per department how many people of each class are in each group, at each moment: the first is now."""
    rows = pd.concat([frame.assign(moment=number) for number, frame in enumerate(moments)], ignore_index=True)
    rows["group"] = rows.groupby(["margin", "category"], sort=True).ngroup()
    shape = (len(moments), rows["group"].nunique(), len(CLASSES))
    counts: dict[str, Counts] = {}
    for department, own in rows.groupby("department_id"):
        made = counts[str(department)] = np.zeros(shape, dtype=np.int64)
        made[own["moment"].to_numpy(), own["group"].to_numpy()] = own[CLASSES].to_numpy(dtype=np.int64)
    return counts


def _are_enough(groups: Counts, least: int, *, one_class: int | None = None) -> bool:
    """Whether each group is nobody, or `least` of two classes, or as many as suffice where they are of one class."""
    sizes, classes = groups.sum(axis=-1), (groups > 0).sum(axis=-1)
    enough = (sizes >= least) & (classes >= 2)
    if one_class is not None:
        enough |= sizes >= one_class
    return bool(((sizes == 0) | enough).all())
