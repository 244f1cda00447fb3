"""The outsider who knows the margins: what an answer weighs, and so which groups a weighted figure fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.attack.outsider import Counts

Z = 1.959963984540054
SHOWN = {"nps_weighted": 1, "nps_weighted_low": 1, "nps_weighted_high": 1, "effective_responses": 0, "design_effect": 2}
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """What the outsider finds of the young in a department: the fewest and the most that there can be."""

    least: int
    most: int

    def gives_away(self, truth: Counts, *, k: int) -> bool:
        """Whether a few are bounded to under `k`."""
        return 0 < sum(truth) < k and self.most - self.least < k


def figures(young: Numbers, whole: Numbers, *, weight_young: float, weight_old: float) -> dict[str, Numbers]:
    """What would be shown of `whole` (promoters, passives, detractors) for each row of `young` among them."""
    old = whole - young
    weighted = weight_young * young + weight_old * old
    total = weighted.sum(axis=1)
    squares = weight_young**2 * young.sum(axis=1) + weight_old**2 * old.sum(axis=1)
    n_eff = total**2 / squares
    p, d = weighted[:, 0] / total, weighted[:, 2] / total
    p_added, d_added = (p * n_eff + 0.75) / (n_eff + 3), (d * n_eff + 0.75) / (n_eff + 3)
    centre = p_added - d_added
    margin = Z * np.sqrt((p_added + d_added - centre**2) / (n_eff + 3))
    return {
        "nps_weighted": 100 * (p - d),
        "nps_weighted_low": 100 * np.maximum(centre - margin, -1),
        "nps_weighted_high": 100 * np.minimum(centre + margin, 1),
        "effective_responses": n_eff,
        "design_effect": whole.sum() / n_eff,
    }


def shown_of(young: Counts, whole: Counts, **weights: float) -> dict[str, float]:
    """What a publication shows that rounds weighted figures and hides none."""
    made = figures(np.array([young], dtype=float), np.array(whole, dtype=float), **weights)
    return {name: round(float(made[name][0]), digits) for name, digits in SHOWN.items()}


def found(row: Mapping[str, Any], whole: Counts, **weights: float) -> Range:
    """Every group of young that the shown figures fit, tried one by one."""
    young = np.stack(np.meshgrid(*(np.arange(count + 1) for count in whole), indexing="ij"), axis=-1).reshape(-1, 3)
    made = figures(young.astype(float), np.array(whole, dtype=float), **weights)
    fits = np.ones(len(young), dtype=bool)
    for name, digits in SHOWN.items():
        fits &= np.abs(made[name] - float(row[name])) <= 0.5 * 10.0**-digits + 1e-9
    sizes = young[fits].sum(axis=1)
    return Range(int(sizes.min()), int(sizes.max()))
