"""Each department through all waves, with a smooth that stops and begins anew where the survey's method changed."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from transforms.breaks import LANGUAGES, Reason
from transforms.change import figure, scores
from transforms.smooth import smooth
from transforms.waves import distances

COLUMNS = (
    *("department_id", "department", "trend_wave", "position", "nps", "nps_low", "nps_high"),
    *("nps_smooth", "nps_smooth_low", "nps_smooth_high", "is_break", "break_reason_en", "break_reason_nl"),
    "is_regrouped",
)


def trends(series: Sequence[tuple[str, pd.DataFrame]], broken: Mapping[str, Reason] | None = None) -> pd.DataFrame:
    """One row per department published in the newest wave × wave from its first published one on, in order.

    `series` are the waves in order with their metrics as released, in today's tree (is_regrouped), the newest last;
    `broken` has the waves with which the method changed, and why. The smooth is of local level with the errors of
    adjusted Wald (`smooth`); it is NULL where fewer than three waves since a break, or until the next, published the
    department.
    """
    broken = broken or {}
    waves = [wave for wave, _ in series]
    newest = series[-1][1]
    shown = newest[(newest["status"] == "published") & newest["nps"].notna()].reset_index(drop=True)
    found = {name: _by_wave(shown, series, name) for name in ("nps", "nps_low", "nps_high", "error")}
    smoothed = _smoothed(found["nps"], found["error"], waves, broken)
    rows = len(shown)
    table = pd.DataFrame(
        {
            "department_id": np.repeat(shown["department_id"].to_numpy(), len(waves)),
            "department": np.repeat(shown["department"].to_numpy(), len(waves)),
            "trend_wave": waves * rows,
            "position": list(range(1, len(waves) + 1)) * rows,
            **{name: figure(pd.Series(found[name].ravel())) for name in ("nps", "nps_low", "nps_high")},
            **{name: figure(pd.Series(values.ravel())) for name, values in smoothed.items()},
            "is_break": [wave in broken for wave in waves] * rows,
            "is_regrouped": _regrouped(shown, series).ravel(),
            **{
                f"break_reason_{language}": pd.Series(
                    [broken[wave].get(language) if wave in broken else None for wave in waves] * rows, dtype="object"
                )
                for language in LANGUAGES
            },
        }
    )
    has_begun = np.maximum.accumulate(~np.isnan(found["nps"]), axis=1).ravel()
    return table[has_begun].reset_index(drop=True)[list(COLUMNS)]


def _by_wave(shown: pd.DataFrame, series: Sequence[tuple[str, pd.DataFrame]], name: str) -> np.ndarray:
    """Departments × waves: a figure in points, NaN where the wave did not publish the department."""
    columns = []
    for _, metrics in series:
        metrics = metrics.reset_index(drop=True)
        known = metrics.assign(error=100 * scores(metrics)["variance"] ** 0.5).set_index("department_id")
        figures = known[name].astype("float64").where(known["nps"].notna() & (known["status"] == "published"))
        columns.append(figures.reindex(shown["department_id"]).to_numpy())
    return np.stack(columns, axis=1)


def _regrouped(shown: pd.DataFrame, series: Sequence[tuple[str, pd.DataFrame]]) -> np.ndarray:
    """Departments × waves: whether the wave's figure was added up again along the departments of today."""
    again = [
        set(metrics.loc[metrics["is_regrouped"].astype(bool), "department_id"]) if "is_regrouped" in metrics else set()
        for _, metrics in series
    ]
    return np.array([[name in names for names in again] for name in shown["department_id"]], dtype=bool)


def _smoothed(
    nps: np.ndarray, error: np.ndarray, waves: Sequence[str], broken: Mapping[str, Reason]
) -> dict[str, np.ndarray]:
    """The smooth and its band, each part between two breaks by itself."""
    z = float(ndtri(0.975))
    starts = [0, *(place for place, wave in enumerate(waves) if place and wave in broken), len(waves)]
    apart = np.array(distances(waves), dtype="float64")
    parts = [
        smooth(nps[:, first:last], error[:, first:last] ** 2, apart[first:last], z=z)
        for first, last in itertools.pairwise(starts)
    ]
    mean, low, high = (np.concatenate(one, axis=1) for one in zip(*parts, strict=True))
    return {
        "nps_smooth": mean.clip(-100, 100),
        "nps_smooth_low": low.clip(-100, 100),
        "nps_smooth_high": high.clip(-100, 100),
    }
