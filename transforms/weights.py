"""Weights that make the answers' shares those of the population: post-stratification, or raking over several margins.

Our own, over cells and not over answers: weightipy 0.4 gives the textbook's weights, yet passes over an empty category
and an unknown one; samplics is no longer maintained.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms import TransformError
from transforms.sql import filled, literal

Numbers = NDArray[np.float64]
Margins = Mapping[str, Mapping[str, float]]  # margin: category: share, or number of people

ROUNDS = 100
TOLERANCE = 1e-6
TRIMMED = (0.3, 3.0)  # × the mean weight
DIGITS = {
    "effective_responses": 0,
    "design_effect": 2,
    "nps_weighted": 1,
    "nps_weighted_low": 1,
    "nps_weighted_high": 1,
    "nps_weighted_se": 1,
}
LEVEL = re.compile(r"department(?:_(\d+))?")


def level_of(margin: str, segments: Sequence[str]) -> int | None:
    """The level of departments that a margin is over: `department` is the first; None where it is a segment."""
    found = LEVEL.fullmatch(margin)
    return None if margin in segments or found is None else int(found[1] or 1)


def cells_sql(margins: Sequence[str], segments: Sequence[str]) -> str:
    """The select of the cells, with one column per margin: margin_1, margin_2, …"""
    return filled("weight_cells", {"labels": labels(margins, segments)})


def counted_sql(margins: Sequence[str], segments: Sequence[str], *, has_design: bool) -> str:
    """The select of the responses with their cells' weights, for a view, which takes no parameters."""
    names = [f"margin_{number}" for number in range(1, len(margins) + 1)]
    same = " and ".join(f"labelled.{name} is not distinct from cell_weights.{name}" for name in names)
    parts = {"labels": labels(margins, segments), "names": ", ".join(names), "is_same": same}
    return filled("counted_weighted", parts).replace("$has_design", "true" if has_design else "false")


def weights(cells: pd.DataFrame, margins: Margins, *, min_respondents: int) -> pd.DataFrame:
    """The cells with weights that give every category its share; one margin is post-stratification, more are raking.

    Answers that do not say their category keep the share they have, and the others share the rest. Each category needs
    `min_respondents` answers: fewer would carry too much, and the effect of the weights would tell how few they are.
    Weights start from the design weights, keep their sum, are trimmed to [0.3, 3] × the mean and raked once more, after
    which a trimmed one may lie a little outside. Deming and Stephan (1940); Kalton and Flores-Cervantes (2003).
    """
    counts: Numbers = cells["answers"].to_numpy(dtype=np.float64)
    start: Numbers = cells["design_weight"].to_numpy(dtype=np.float64)
    if not counts.sum():
        raise TransformError("there is no answer with a score to weight")
    places, targets = [], []
    for number, (margin, wanted) in enumerate(margins.items(), start=1):
        place, target = _aimed(margin, wanted, cells[f"margin_{number}"], counts, start, least=min_respondents)
        places.append(place)
        targets.append(target)
    raked = rake(start, counts, places, targets, margins=margins)
    mean = float(raked @ counts) / float(counts.sum())
    trimmed = np.clip(raked, TRIMMED[0] * mean, TRIMMED[1] * mean)
    if not np.array_equal(trimmed, raked):
        raked = rake(trimmed, counts, places, targets, margins=margins)
    return cells.assign(weight=np.round(raked, 10))


def rake(
    start: Numbers,
    counts: Numbers,
    places: Sequence[NDArray[np.int64]],
    targets: Sequence[Numbers],
    *,
    margins: Margins,
) -> Numbers:
    """Weights per cell by iterative proportional fitting: w ← w·T/Σw per margin, to a relative error under 1e−6.

    `places` say each cell's category per margin, `targets` what the categories should sum to.
    """
    found, worst = start.copy(), (0.0, 0, 0)
    for _ in range(ROUNDS):
        for place, target in zip(places, targets, strict=True):
            sums = np.bincount(place, found * counts, minlength=len(target))
            found = found * np.divide(target, sums, out=np.ones_like(sums), where=sums > 0)[place]
        worst = max(
            (float(error), -margin, -category)
            for margin, (place, target) in enumerate(zip(places, targets, strict=True))
            for category, error in enumerate(_errors(np.bincount(place, found * counts, minlength=len(target)), target))
        )
        if worst[0] < TOLERANCE:
            return found
    margin = list(margins)[-worst[1]]
    category = [*margins[margin], "(not said)"][-worst[2]]
    raise TransformError(
        f"the weights do not settle in {ROUNDS} rounds: of margin '{margin}', '{category}' cannot get its share, "
        "because some combinations of categories have no answers; merge categories, or leave a margin out"
    )


def blunt(
    metrics: pd.DataFrame,
    *,
    levels: Sequence[int] = (),
    tellable: Collection[str] | None = None,
    but: Collection[str] = (),
) -> pd.DataFrame:
    """The metrics with weighted figures that give no small group away to whoever knows what answers weigh.

    They are rounded (whole effective answers, effects to hundredths, points to tenths), but for the departments `but`.
    Of departments that are not `tellable` there are none; and where a margin is over a level of departments, those
    above that level show none while one of its departments is suppressed.
    """
    names = list(DIGITS)
    rounded = metrics.assign(**{name: metrics[name].astype("float64").round(digits) for name, digits in DIGITS.items()})
    figures = rounded.assign(**rounded[names].where(~metrics["department_id"].isin(but), metrics[names]))
    parents = dict(zip(metrics["department_id"], metrics["parent_id"], strict=True))
    silent = set() if tellable is None else set(parents) - set(tellable)
    for row in metrics.loc[(metrics["status"] == "suppressed") & metrics["level"].isin(levels)].itertuples():
        above = row.parent_id
        while isinstance(above, str):
            silent.add(above)
            above = parents[above]
    figures[names] = figures[names].mask(figures["department_id"].isin(silent))
    return figures


def _aimed(
    margin: str, wanted: Mapping[str, float], labels: pd.Series, counts: Numbers, start: Numbers, *, least: int
) -> tuple[NDArray[np.int64], Numbers]:
    """Each cell's category as a number, the last of which is 'not said', and what each should sum to."""
    categories = list(wanted)
    known = {category: place for place, category in enumerate(categories)}
    said = labels.astype(object).where(labels.notna(), None)
    if strangers := sorted({str(label) for label in said if label is not None and label not in known}):
        raise TransformError(
            f"margin '{margin}' does not know {_quoted(strangers)}, which answers name; add {_it(strangers)} to the "
            "margin, or map the values to categories that it has"
        )
    place = np.array([len(categories) if label is None else known[label] for label in said], dtype=np.int64)
    answered = np.bincount(place, counts, minlength=len(categories) + 1)
    if empty := [category for category in categories if answered[known[category]] < least]:
        raise TransformError(
            f"margin '{margin}': {_quoted(empty)} has no answers, or fewer than {least} with a score; merge categories "
            "by values = { … } of the role, and in the margin"
        )
    mass = np.bincount(place, counts * start, minlength=len(categories) + 1)
    shares = np.array([wanted[category] for category in categories]) / sum(wanted.values())
    return place, np.append(shares * mass[:-1].sum(), mass[-1])


def _errors(sums: Any, target: Numbers) -> Numbers:
    errors: Numbers = np.divide(np.abs(sums - target), target, out=np.zeros_like(target), where=target > 0)
    return errors


def labels(margins: Sequence[str], segments: Sequence[str]) -> str:
    """The columns margin_1, margin_2, … of a response: its category of each margin, NULL where it does not say."""
    levels = [level_of(margin, segments) for margin in margins]
    made = [
        f"segments[{literal(margin)}]"
        if level is None
        else f"nullif(string_split(department_key, chr(31))[{level}], '')"
        for margin, level in zip(margins, levels, strict=True)
    ]
    return ",\n    ".join(f"{label} as margin_{number}" for number, label in enumerate(made, start=1))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
